/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the states of a frame and the changes between them as a graph for
 * dot, from the table that the core itself is built on. docs/states.dot is
 * what this prints; lint/states sees to it.
 */
#include <stdio.h>

#include "broker/core/state.h"

static const char *const changes[] = {
#define CHANGE(name, word) word,
#include "broker/core/states.def"
};

static const struct {
    const char *word;
    char letter;
} states[] = {
#define STATE(name, letter, word) {word, letter},
#include "broker/core/states.def"
};

static const struct {
    enum frame_state from, to;
    enum frame_change change;
} rows[] = {
#define ROW(from, change, to) {FRAME_##from, FRAME_##to, CHANGE_##change},
#include "broker/core/states.def"
};

int main(void)
{
    puts("// Made by states_dot from broker/core/states.def; don't edit.\n"
         "digraph frame {\n"
         "    rankdir=LR;\n"
         "    node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
         "    edge [fontname=\"sans-serif\", fontsize=10];");
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        printf("    %s [label=\"%s (%c)\"];\n", states[i].word, states[i].word,
               states[i].letter);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        printf("    %s -> %s [label=\"%s\"];\n", states[rows[i].from].word,
               states[rows[i].to].word, changes[rows[i].change]);
    puts("}");
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings from the command line, the environment and a file, held as text
 * that has passed its check. Knows no setting but the four every program has.
 */
#include "common/app/conf.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/conf_table.h"
#include "common/mem.h"
#include "common/text.h"

#define SHOWN_SIZE 64

static const struct setting common_settings[] = {
    {.name = "config",
     .argument = "FILE",
     .help = "Read settings from FILE: lines of name = \"value\"."},
    {.name = "print-config",
     .help = "Print all settings as such a file and exit."},
    {.name = "help", .letter = 'h', .help = "Print this and exit."},
    {.name = "version", .help = "Print the version and exit."},
};
#define COMMON_COUNT (sizeof common_settings / sizeof *common_settings)

static bool is_switch(const struct setting *setting)
{
    return setting->argument == NULL;
}

static const char *shown(const char *text, char ret[SHOWN_SIZE])
{
    return text_excerpt(text, strlen(text), ret, SHOWN_SIZE);
}

void conf_refuse(const struct conf *conf, const char *format, ...)
{
    char reason[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    fprintf(stderr, "%s: %s\n", conf->program->name, reason);
    exit(2);
}

struct conf_row *conf_row_find(const struct conf *conf, size_t n,
                               const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(conf->rows[i].setting->name, name) == 0)
            return &conf->rows[i];
    return NULL;
}

const char *conf_row_nearest(const struct conf *conf, size_t n,
                             const char *name)
{
    const char **names = mem_new(n * sizeof *names);
    for (size_t i = 0; i < n; i++)
        names[i] = conf->rows[i].setting->name;
    const char *nearest = conf_nearest(name, names, n);
    mem_free(names);
    return nearest;
}

static void row_clear(struct conf_row *row)
{
    for (size_t i = 0; i < row->n; i++)
        mem_free(row->values[i]);
    mem_free(row->values);
    row->values = NULL;
    row->n = 0;
}

/* A file of one line a setting can hold no others. */
static const char *check_line(const char *value)
{
    for (const char *at = value; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            return "must not have control characters";
    return NULL;
}

static const char *check_value(const struct setting *setting, const char *value)
{
    static const char *const states[] = {"true", "false", NULL};
    if (is_switch(setting))
        return conf_choice(value, states);
    const char *why = check_line(value);
    if (why == NULL && setting->check != NULL)
        why = setting->check(value);
    return why;
}

/* In environments 1 and 0 are the common words of a switch. */
static const char *switch_word(const char *value)
{
    if (strcmp(value, "1") == 0)
        return "true";
    return strcmp(value, "0") == 0 ? "false" : value;
}

const char *conf_row_put(struct conf_row *row, enum conf_source source,
                         const char *value)
{
    if (is_switch(row->setting))
        value = switch_word(value);
    const char *why = check_value(row->setting, value);
    if (why != NULL || source < row->source)
        return why;
    if (source > row->source || !row->setting->many)
        row_clear(row);
    row->source = source;
    row->values = mem_grow(row->values, row->n + 1, sizeof *row->values);
    row->values[row->n++] = mem_text(value);
    return NULL;
}

static void put_flag(struct conf *conf, struct conf_row *row, const char *value)
{
    const char *name = row->setting->name;
    if (strcmp(name, "help") == 0)
        conf_help(conf);
    if (strcmp(name, "version") == 0)
        conf_version(conf);
    const char *why = conf_row_put(row, CONF_FLAG, value);
    if (why != NULL)
        conf_refuse(conf, "--%s: %s", name, why);
}

/* The arguments being read and the one at hand. */
struct arguments {
    char **at; /* ended by NULL */
};

/* Puts the value of row: what is glued to the flag, else the next argument. */
static void read_value(struct conf *conf, struct conf_row *row,
                       const char *glued, struct arguments *args)
{
    const struct setting *setting = row->setting;
    if (glued == NULL && is_switch(setting))
        glued = "true";
    else if (glued == NULL && *args->at != NULL)
        glued = *args->at++;
    if (glued == NULL)
        conf_refuse(conf, "--%s needs a value: %s", setting->name,
                    setting->argument);
    put_flag(conf, row, glued);
}

static void refuse_flag(const struct conf *conf, const char *flag,
                        const char *nearest)
{
    char text[SHOWN_SIZE];
    if (nearest == NULL)
        conf_refuse(conf, "unknown flag %s (see --help)", shown(flag, text));
    conf_refuse(conf, "unknown flag %s (did you mean --%s?)", shown(flag, text),
                nearest);
}

static void read_long(struct conf *conf, const char *flag,
                      struct arguments *args)
{
    char name[SHOWN_SIZE];
    const char *word = flag + 2, *equals = strchr(word, '=');
    size_t len = equals == NULL ? strlen(word) : (size_t)(equals - word);
    snprintf(name, sizeof name, "%.*s", len < SHOWN_SIZE ? (int)len : 0, word);
    struct conf_row *row = conf_row_find(conf, conf->n, name);
    if (row == NULL)
        refuse_flag(conf, flag, conf_row_nearest(conf, conf->n, name));
    read_value(conf, row, equals == NULL ? NULL : equals + 1, args);
}

static void read_short(struct conf *conf, const char *flag,
                       struct arguments *args)
{
    size_t i = 0;
    while (i < conf->n && conf->rows[i].setting->letter != flag[1])
        i++;
    bool glued = flag[2] != '\0';
    if (i == conf->n || (glued && is_switch(conf->rows[i].setting)))
        refuse_flag(conf, flag,
                    glued ? conf_row_nearest(conf, conf->n, flag + 1) : NULL);
    read_value(conf, &conf->rows[i], glued ? flag + 2 : NULL, args);
}

static void add_operand(struct conf *conf, const char *operand)
{
    char text[SHOWN_SIZE];
    if (conf->n_operands >= (size_t)conf->program->operands_max)
        conf_refuse(conf, "unexpected argument `%s` (see --help)",
                    shown(operand, text));
    conf->operands =
        mem_grow(conf->operands, conf->n_operands + 1, sizeof *conf->operands);
    conf->operands[conf->n_operands++] = operand;
}

/* "-" and negative numbers are none. */
static bool is_flag(const char *argument)
{
    return argument[0] == '-' && argument[1] != '\0' &&
           !isdigit((unsigned char)argument[1]);
}

static void read_flags(struct conf *conf, char **argv)
{
    struct arguments args = {argv};
    bool ended = false;
    while (*args.at != NULL) {
        const char *argument = *args.at++;
        if (ended || !is_flag(argument))
            add_operand(conf, argument);
        else if (strcmp(argument, "--") == 0)
            ended = true;
        else if (argument[1] == '-')
            read_long(conf, argument, &args);
        else
            read_short(conf, argument, &args);
    }
}

static void read_variable(struct conf *conf, struct conf_row *row)
{
    char name[SHOWN_SIZE];
    int n = snprintf(name, sizeof name, "FRAMEQ_%s", row->setting->name);
    assert(n > 0 && (size_t)n < sizeof name);
    for (char *at = name; *at != '\0'; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    const char *value = getenv(name);
    if (value == NULL || *value == '\0')
        return;
    const char *why = conf_row_put(row, CONF_ENVIRONMENT, value);
    if (why != NULL)
        conf_refuse(conf, "%s: %s", name, why);
}

/* Of the settings every program has only --config is one to be preset. */
static void read_environment(struct conf *conf)
{
    for (size_t i = 0; i < conf->program->n; i++)
        read_variable(conf, &conf->rows[i]);
    read_variable(conf, conf_row_find(conf, conf->n, "config"));
}

static void put_defaults(struct conf *conf)
{
    for (size_t i = 0; i < conf->n; i++) {
        struct conf_row *row = &conf->rows[i];
        if (row->n > 0 || row->setting->fallback == NULL)
            continue;
        const char *why =
            conf_row_put(row, CONF_DEFAULT, row->setting->fallback);
        assert(why == NULL);
    }
}

static struct conf *conf_new(const struct conf_program *program)
{
    struct conf *conf = mem_new(sizeof *conf);
    conf->program = program;
    conf->n = program->n + COMMON_COUNT;
    conf->rows = mem_new(conf->n * sizeof *conf->rows);
    for (size_t i = 0; i < program->n; i++)
        conf->rows[i].setting = &program->settings[i];
    for (size_t i = 0; i < COMMON_COUNT; i++)
        conf->rows[program->n + i].setting = &common_settings[i];
    return conf;
}

struct conf *conf_load(const struct conf_program *program, int argc,
                       char **argv)
{
    struct conf *conf = conf_new(program);
    if (argc > 0)
        read_flags(conf, argv + 1);
    read_environment(conf);
    const char *path = conf_get(conf, "config");
    if (path != NULL)
        conf_file_read(conf, path);
    put_defaults(conf);
    if (conf_on(conf, "print-config"))
        conf_print(conf);
    return conf;
}

void conf_free(struct conf **conf)
{
    if (*conf == NULL)
        return;
    for (size_t i = 0; i < (*conf)->n; i++)
        row_clear(&(*conf)->rows[i]);
    mem_free((*conf)->rows);
    mem_free((*conf)->operands);
    mem_free(*conf);
    *conf = NULL;
}

static const struct conf_row *row_of(const struct conf *conf, const char *name)
{
    const struct conf_row *row = conf_row_find(conf, conf->n, name);
    assert(row != NULL);
    return row;
}

const char *conf_get(const struct conf *conf, const char *name)
{
    const struct conf_row *row = row_of(conf, name);
    return row->n == 0 ? NULL : row->values[0];
}

int64_t conf_number(const struct conf *conf, const char *name)
{
    const char *value = conf_get(conf, name);
    assert(value != NULL && conf_is_count0(value) == NULL);
    return strtoll(value, NULL, 10);
}

int64_t conf_ms(const struct conf *conf, const char *name)
{
    const char *value = conf_get(conf, name);
    assert(value != NULL && conf_is_seconds(value) == NULL);
    int64_t ms = (int64_t)(strtod(value, NULL) * 1000);
    return ms < 1 ? 1 : ms;
}

uint64_t conf_bytes(const struct conf *conf, const char *name)
{
    const char *value = conf_get(conf, name);
    assert(value != NULL && conf_is_gigabytes(value) == NULL);
    return (uint64_t)(strtod(value, NULL) * 1e9);
}

bool conf_on(const struct conf *conf, const char *name)
{
    const struct conf_row *row = row_of(conf, name);
    assert(is_switch(row->setting));
    return row->n > 0 && strcmp(row->values[0], "true") == 0;
}

bool conf_given(const struct conf *conf, const char *name)
{
    return row_of(conf, name)->source > CONF_DEFAULT;
}

size_t conf_many(const struct conf *conf, const char *name,
                 const char *const **ret)
{
    const struct conf_row *row = row_of(conf, name);
    *ret = (const char *const *)row->values;
    return row->n;
}

size_t conf_operands(const struct conf *conf, const char *const **ret)
{
    *ret = conf->operands;
    return conf->n_operands;
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of a program or of a subcommand, from one table: a flag beats the
 * variable FRAMEQ_<FLAG> beats the file of --config (CZMQ's ZPL) beats the
 * default. The same table gives --help, --print-config and the man page.
 */
#ifndef FRAMEQ_COMMON_APP_CONF_H
#define FRAMEQ_COMMON_APP_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A check returns NULL when value will do, else the reason it won't, for
 * people, as the end of "--http: ...". Static text or conf_reason's. */
typedef const char *conf_check(const char *value);

struct setting {
    const char *name;     /* of the flag, without dashes */
    const char *argument; /* what --help calls the value; NULL: a switch */
    const char *fallback; /* default; NULL: none. A switch has none. */
    const char *help;     /* one sentence; may be long, --help wraps it */
    conf_check *check;    /* NULL: any text */
    char letter;          /* short form, 0 for none */
    bool many;            /* may be given again; the file repeats the key */
    bool secret;          /* --print-config only tells that it is set */
};

struct conf_program {
    const char *name;   /* "frameq-broker", "frameq submit" */
    const char *usage;  /* operands for the usage line, "" for none */
    const char *about;  /* one paragraph for --help */
    const char *epilog; /* examples and such after the flags; NULL: none */
    const struct setting *settings;
    size_t n;
    int operands_max; /* operands allowed; 0 refuses the first */
    const char
        *version; /* what --version prints after name; NULL: FRAMEQ_VERSION */
};

struct conf;

/* conf_load reads everything and checks every value. It answers --help,
 * --version and --print-config on stdout with exit 0 itself, and refuses an
 * unknown flag, key or value in one line on stderr, naming the nearest known
 * one, with exit 2 (a --config file that cannot be read likewise). "--" ends
 * the flags; "--flag=value" and "--flag value" are the same; a switch takes
 * "true"/"false" in file and environment. An empty variable counts as unset.
 * A flag given again replaces the value unless the setting is many; of the
 * sources of a setting only the strongest counts. Call it before there are
 * threads. Owned by the caller: conf_free. */
struct conf *conf_load(const struct conf_program *program, int argc,
                       char **argv);
void conf_free(struct conf **conf);

/* The getters take a name of the table (asserted). conf_get returns the value
 * or NULL when it has none (of many: the first); conf_number asserts that the
 * check made it a whole number, conf_ms that it made it seconds, and gives
 * these in milliseconds (at least 1), conf_bytes gigabytes in bytes; conf_on is
 * for switches; conf_given tells whether anything but the default set it. All
 * borrowed from conf. */
const char *conf_get(const struct conf *conf, const char *name);
int64_t conf_number(const struct conf *conf, const char *name);
int64_t conf_ms(const struct conf *conf, const char *name);
uint64_t conf_bytes(const struct conf *conf, const char *name);
bool conf_on(const struct conf *conf, const char *name);
bool conf_given(const struct conf *conf, const char *name);

/* conf_many returns the values of a setting that may be repeated. */
size_t conf_many(const struct conf *conf, const char *name,
                 const char *const **ret);

/* conf_operands returns what stood beside the flags, in order. */
size_t conf_operands(const struct conf *conf, const char *const **ret);

/* Checks to use in tables. */
const char *conf_is_address(const char *value);      /* HOST:PORT, [V6]:PORT */
const char *conf_is_count(const char *value);        /* 1 .. 2^31-1 */
const char *conf_is_count0(const char *value);       /* 0 .. 2^31-1 */
const char *conf_is_auto_count(const char *value);   /* auto or a count */
const char *conf_is_auto_seconds(const char *value); /* auto or seconds > 0 */
const char *conf_is_seconds(const char *value);      /* > 0, fraction allowed */
const char *conf_is_gigabytes(const char *value);    /* > 0, as seconds */
const char *conf_is_url(const char *value);          /* http(s)://host[:port] */
const char *conf_is_token(const char *value);        /* a secret of tokens.h */

/* conf_choice is for checks of a program's own: NULL when value is one of words
 * (ended by NULL), else a reason that names them and the nearest. */
const char *conf_choice(const char *value, const char *const *words);

/* conf_reason formats a reason for a check to return; valid until the next. */
const char *conf_reason(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* conf_address splits HOST:PORT (brackets of IPv6 taken off) into host, at
 * most size bytes, and port. The value has passed conf_is_address. */
int conf_address(const char *value, char *host, size_t size);

/* conf_nearest returns that of n words which is nearest to word by edit
 * distance, or NULL when none is near. */
const char *conf_nearest(const char *word, const char *const *words, size_t n);

/* conf_make_dir creates a folder and its parents (mode 0777 less umask).
 * Returns false with errno set when it cannot. */
bool conf_make_dir(const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * What conf.c, conf_file.c and conf_help.c share; nobody else includes it.
 */
#ifndef FRAMEQ_COMMON_APP_CONF_TABLE_H
#define FRAMEQ_COMMON_APP_CONF_TABLE_H

#include "common/app/conf.h"

/* Where a value came from, the weakest first. */
enum conf_source {
    CONF_NOWHERE,
    CONF_DEFAULT,
    CONF_FILE,
    CONF_ENVIRONMENT,
    CONF_FLAG
};

/* One setting and its values: all of the strongest source that gave any. */
struct conf_row {
    const struct setting *setting;
    char **values;
    size_t n;
    enum conf_source source;
};

/* The program's own settings come first in rows, then those that every
 * program has. */
struct conf {
    const struct conf_program *program;
    struct conf_row *rows;
    size_t n;
    const char **operands;
    size_t n_operands;
};

/* conf_row_find looks among the first n rows. NULL when name is none. */
struct conf_row *conf_row_find(const struct conf *conf, size_t n,
                               const char *name);

/* conf_row_nearest returns the known name nearest to a wrong one, or NULL. */
const char *conf_row_nearest(const struct conf *conf, size_t n,
                             const char *name);

/* conf_row_put gives a row a value of source, checked. Returns NULL or why it
 * won't do. */
const char *conf_row_put(struct conf_row *row, enum conf_source source,
                         const char *value);

/* conf_refuse writes "<program>: <reason>" and exits with 2. */
void conf_refuse(const struct conf *conf, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* conf_file_read puts all keys of a ZPL file into the program's own rows, or
 * refuses what is wrong with it. */
void conf_file_read(struct conf *conf, const char *path);

/* The three answers on stdout. Each ends the program. */
void conf_help(const struct conf *conf) __attribute__((noreturn));
void conf_version(const struct conf *conf) __attribute__((noreturn));
void conf_print(const struct conf *conf) __attribute__((noreturn));

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq token: the file of tokens that a broker reads. It works on the file,
 * not through the broker, so that the first token can be made, and one be
 * taken back, by whoever owns the file. The broker notices within a second.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "cli/verbs/verbs.h"
#include "common/app/join.h"
#include "common/app/log.h"
#include "common/app/tokens.h"
#include "common/mem.h"
#include "common/text.h"

#define WHY_SIZE 512

static const char *is_role(const char *value)
{
    const char *words[TOKEN_ADMIN - TOKEN_READ + 2] = {0};
    for (int role = TOKEN_READ; role <= TOKEN_ADMIN; role++)
        words[role - TOKEN_READ] = token_role_word((enum token_role)role);
    return conf_choice(value, words);
}

static const char *is_user(const char *value)
{
    size_t len = strlen(value);
    if (len < 1 || len > LIMIT_NAME || !text_is_plain(value, len))
        return conf_reason("must be 1 to %d bytes of plain text", LIMIT_NAME);
    return NULL;
}

static const struct setting settings[] = {
    {.name = "tokens",
     .argument = "FILE",
     .help = "The file that frameq-broker --tokens names."},
    {.name = "role",
     .argument = "read|agent|submit|admin",
     .fallback = "submit",
     .help = "read looks; agent also sends rendered frames; submit also queues "
             "jobs and steers its user's own; admin steers everything.",
     .check = is_role},
    {.name = "user",
     .argument = "NAME",
     .help = "Whose it is; jobs it queues are this user's. Default: you.",
     .check = is_user},
    SETTING_JSON,
};

static const struct conf_program program = {
    .name = "frameq token",
    .usage = "add [NAME] | ls | rm NAME...",
    .about = "Who may use the farm. add makes a token and prints its secret, "
             "once; only a hash is kept. rm takes tokens back: the broker lets "
             "them in no more within a second.",
    .epilog = "  frameq token add --role submit --user mira --tokens "
              "/etc/frameq/tokens\n"
              "  FRAMEQ_TOKEN=fq_... frameq submit shot.blend -f 1-250\n"
              "  frameq token rm mira --tokens /etc/frameq/tokens\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 64,
};

struct file {
    const char *path;
    int lock; /* of two who write at once the second waits */
    struct tokens tokens;
};

static void file_open(struct file *file, const struct conf *conf)
{
    char why[WHY_SIZE];
    *file = (struct file){.path = conf_get(conf, "tokens")};
    if (file->path == NULL)
        log_fatal(CLI_USAGE, "give --tokens FILE (or set FRAMEQ_TOKENS): the "
                             "file that frameq-broker --tokens names");
    struct buf lock;
    buf_init(&lock, LIMIT_PATH + 8);
    buf_print(&lock, "%s.lock", file->path);
    file->lock = open(buf_text(&lock), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    buf_free(&lock);
    if (file->lock < 0 || flock(file->lock, LOCK_EX) != 0)
        log_fatal(CLI_FAILED, "cannot write beside %s: %s", file->path,
                  strerror(errno));
    bool is_there = access(file->path, F_OK) == 0 || errno != ENOENT;
    if (is_there && !tokens_load(&file->tokens, file->path, why, sizeof why))
        log_fatal(CLI_FAILED, "%s", why);
}

static void file_save(const struct file *file)
{
    char why[WHY_SIZE];
    if (!tokens_save(&file->tokens, file->path, why, sizeof why))
        log_fatal(CLI_FAILED, "%s", why);
}

static void file_close(struct file *file)
{
    tokens_free(&file->tokens);
    close(file->lock);
}

/* The name asked for, or the user's, with a number where that is taken. */
static void name_token(const struct tokens *tokens, const char *wanted,
                       struct token *token)
{
    const char *base = wanted == NULL ? token->user : wanted;
    const char *reason = wanted == NULL ? NULL : join_is_name(wanted);
    if (reason != NULL)
        log_fatal(CLI_USAGE, "NAME %s", reason);
    for (size_t i = 0; i < sizeof token->name - 1 && base[i] != '\0'; i++)
        token->name[i] = base[i];
    if (wanted != NULL && tokens_named(tokens, wanted) != NULL)
        log_fatal(CLI_REFUSED,
                  "there is a token %s; take it back first, or give another "
                  "name",
                  wanted);
    for (char *c = token->name; *c != '\0'; c++)
        if (!text_is_name_char(*c))
            *c = '-';
    size_t len = strlen(token->name);
    len = len < LIMIT_AGENT - 8 ? len : LIMIT_AGENT - 8;
    for (int i = 2; tokens_named(tokens, token->name) != NULL; i++)
        snprintf(token->name + len, sizeof token->name - len, "-%d", i);
}

static const char *user_here(void)
{
    const struct passwd *who = getpwuid(getuid());
    return who == NULL ? "somebody" : who->pw_name;
}

static void tell_secret(const struct token *token, const char *secret,
                        bool json)
{
    if (json) {
        json_t *answer = json_pack(
            "{s:s, s:s, s:s, s:s}", "name", token->name, "user", token->user,
            "role", token_role_word(token->role), "secret", secret);
        cli_print_json(answer);
        json_decref(answer);
        return;
    }
    fprintf(stderr,
            "Token %s (%s) for %s; the secret is shown this once. Take it "
            "back: frameq token rm %s\n",
            token->name, token_role_word(token->role), token->user,
            token->name);
    printf("%s\n", secret);
}

static int add(const struct conf *conf, const char *const *names, size_t n)
{
    struct file file;
    struct token token = {0};
    char secret[TOKEN_SECRET];
    const char *user = conf_get(conf, "user");
    if (n > 1)
        log_fatal(CLI_USAGE, "one token at a time");
    file_open(&file, conf);
    if (file.tokens.n == LIMIT_TOKENS)
        log_fatal(CLI_REFUSED, "there are %d tokens; take some back first",
                  LIMIT_TOKENS);
    snprintf(token.user, sizeof token.user, "%s",
             user == NULL ? user_here() : user);
    token.role = token_role_find(conf_get(conf, "role"));
    name_token(&file.tokens, n == 1 ? names[0] : NULL, &token);
    tokens_make(&file.tokens, &token, secret);
    file_save(&file);
    tell_secret(&token, secret, conf_on(conf, "json"));
    file_close(&file);
    return CLI_DONE;
}

static json_t *list_json(const struct tokens *tokens)
{
    json_t *list = json_array();
    for (size_t i = 0; i < tokens->n; i++) {
        const struct token *token = &tokens->at[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s}", "name", token->name, "user",
                            token->user, "role", token_role_word(token->role),
                            "created", token->created));
    }
    return list;
}

static void list_table(const struct tokens *tokens)
{
    static const struct column columns[] = {{"NAME", 8, false, false},
                                            {"USER", 8, false, false},
                                            {"ROLE", 0, false, false},
                                            {"MADE", 0, false, true}};
    struct term term;
    struct buf out;
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < tokens->n; i++) {
        const struct token *token = &tokens->at[i];
        table_cell(table, PLAIN, "%s", token->name);
        table_cell(table, PLAIN, "%s", token->user);
        table_cell(table, PLAIN, "%s", token_role_word(token->role));
        table_cell(table, PLAIN, "%s", token->created);
    }
    term_look(&term, STDOUT_FILENO);
    buf_init(&out, LIMIT_ANSWER);
    table_write(table, &term, &out);
    cli_print(&out);
    buf_free(&out);
    table_free(&table);
}

static int list(const struct conf *conf, const char *const *names, size_t n)
{
    struct file file;
    (void)names;
    if (n > 0)
        log_fatal(CLI_USAGE, "ls takes no name");
    file_open(&file, conf);
    if (conf_on(conf, "json")) {
        json_t *answer = list_json(&file.tokens);
        cli_print_json(answer);
        json_decref(answer);
    } else {
        list_table(&file.tokens);
    }
    file_close(&file);
    return CLI_DONE;
}

static int take_back(const struct conf *conf, const char *const *names,
                     size_t n)
{
    struct file file;
    if (n == 0)
        log_fatal(CLI_USAGE, "rm takes the names of tokens (frameq token ls)");
    file_open(&file, conf);
    for (size_t i = 0; i < n; i++)
        if (!tokens_remove(&file.tokens, names[i]))
            log_fatal(CLI_REFUSED, "there is no token %s; nothing was changed",
                      names[i]);
    file_save(&file);
    file_close(&file);
    return CLI_DONE;
}

static const struct action {
    const char *name;
    int (*run)(const struct conf *conf, const char *const *names, size_t n);
} actions[] = {{"add", add}, {"ls", list}, {"rm", take_back}};

int verb_token(int argc, char **argv)
{
    const char *const *operands;
    struct conf *conf = conf_load(&program, argc, argv);
    size_t n = conf_operands(conf, &operands);
    for (size_t i = 0; n > 0 && i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i].name, operands[0]) == 0) {
            int code = actions[i].run(conf, operands + 1, n - 1);
            conf_free(&conf);
            return code;
        }
    log_fatal(CLI_USAGE, "say add, ls or rm (see `frameq token --help`)");
}

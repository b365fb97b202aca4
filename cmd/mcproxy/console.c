/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/mcproxy/console.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "cmd/mcproxy/link.h"
#include "common/base/buf.h"
#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/out.h"

#define HISTORY_MAX 1000
#define WORDS_MAX 1000		/* to complete from */

/*
 * Answered at once and always, behind every command: so it does not matter how
 * many lines an answer has, and with noreply and q it may have none.
 */
#define STOPPER "mn\r\n"

static struct link link_;

/* --- answers -------------------------------------------------------------- */

static void
show_text(const char *text, size_t len)
{
	struct wk_buf b;

	wk_buf_init(&b, 8 * len + 64);
	wk_text_escape(&b, text, len, 0);
	wk_out_write(b.data, b.len);
	wk_buf_free(&b);
}

/* len octets and a line end. */
static bool
show_value(uint64_t len)
{
	uint64_t left = len + 2;
	const char *data;
	size_t n;

	while (left > 0) {
		data = link_data(&link_, left < 65536 ? (size_t)left : 65536,
		    &n);
		if (data == NULL)
			return false;
		/* The line end is ours to write. */
		show_text(data, left - n >= 2 ? n : left > 2 ?
		    (size_t)left - 2 : 0);
		left -= n;
	}
	wk_out_text("\n");
	return true;
}

/* "VALUE key flags 5 [cas]", "VA 5 ..." */
static bool
value_length(const char *line, uint64_t *len)
{
	int blanks = strncmp(line, "VALUE ", 6) == 0 ? 3 :
	    strncmp(line, "VA ", 3) == 0 ? 1 : 0;
	char *end;

	if (blanks == 0)
		return false;
	while (blanks-- > 0) {
		line = strchr(line, ' ');
		if (line == NULL)
			return false;
		line++;
	}
	*len = strtoull(line, &end, 10);
	return end > line;
}

static bool
is_last(const char *line)
{
	static const char *const inner[] = { "STAT ", "VALUE ", "ROUTE ",
	    "WHERE ", "PREFIX ", "NOWHERE" };
	size_t i;

	for (i = 0; i < sizeof(inner) / sizeof(inner[0]); i++)
		if (strncmp(line, inner[i], strlen(inner[i])) == 0)
			return false;
	return true;
}

static bool
is_refusal(const char *line)
{
	return strncmp(line, "ERROR", 5) == 0 ||
	    strncmp(line, "CLIENT_ERROR", 12) == 0 ||
	    strncmp(line, "SERVER_ERROR", 12) == 0;
}

/* All that comes before the answer to STOPPER; an exit code. */
static int
show_answer(void)
{
	int rc = WK_EXIT_OK;
	uint64_t len;
	char *line;

	while ((line = link_line(&link_)) != NULL) {
		if (strcmp(line, "MN") == 0)
			return rc;
		if (is_refusal(line))
			rc = WK_EXIT_REFUSED;
		show_text(line, strlen(line));
		wk_out_text("\n");
		if (value_length(line, &len) && !show_value(len))
			break;
	}
	return WK_EXIT_NETWORK;
}

/* Send what is in b, which ends here, and show what is answered. */
static int
send_and_show(struct wk_buf *b)
{
	int rc = WK_EXIT_SYSTEM;

	wk_buf_append(b, STOPPER, strlen(STOPPER));
	if (b->status == WK_OK)
		rc = link_send(&link_, (const char *)b->data, b->len) ?
		    show_answer() : WK_EXIT_NETWORK;
	wk_buf_free(b);
	return rc;
}

static int
ask(const char *format, const char *arg)
{
	struct wk_buf b;

	wk_buf_init(&b, 65536);
	wk_buf_printf(&b, "%s%s\r\n", format, arg);
	return send_and_show(&b);
}

/* The values of "WORD value" lines up to END; the caller frees them. */
static size_t
fetch(const char *question, const char *word, char *out[WORDS_MAX])
{
	size_t n = 0, len = strlen(word);
	char *line;

	if (!link_send(&link_, question, strlen(question)))
		return 0;
	while ((line = link_line(&link_)) != NULL && !is_last(line))
		if (strncmp(line, word, len) == 0 && n < WORDS_MAX &&
		    (out[n] = strdup(line + len)) != NULL)
			n++;
	return n;
}

/* --- commands ------------------------------------------------------------- */

static int
run_where(const char *command, const char *arg)
{
	(void)command;
	return ask("proxy where ", arg);
}

static int
run_down(const char *command, const char *arg)
{
	(void)command;
	return ask("proxy down ", arg);
}

static int
run_up(const char *command, const char *arg)
{
	(void)command;
	return ask("proxy up ", arg);
}

static int
run_pools(const char *command, const char *arg)
{
	(void)command;
	return ask("stats pools", arg);
}

static int
run_backends(const char *command, const char *arg)
{
	(void)command;
	return ask("stats backends", arg);
}

static int
run_routes(const char *command, const char *arg)
{
	(void)command;
	return ask("stats routes", arg);
}

static int
run_reload(const char *command, const char *arg)
{
	int rc = ask("proxy reload", arg);

	(void)command;
	return rc == WK_EXIT_OK ? ask("stats config", "") : rc;
}

/* The first word of *at, which goes on behind its blank. */
static const char *
next_word(const char **at, int *len)
{
	const char *word = *at;

	*len = (int)strcspn(word, " ");
	*at = word + *len + (word[*len] == ' ');
	return word;
}

/* "set KEY TEXT": the value is the rest of the line. */
static int
run_store(const char *command, const char *arg)
{
	const char *key, *unique = "";
	int key_len, unique_len = 0;
	struct wk_buf b;

	key = next_word(&arg, &key_len);
	if (strcmp(command, "cas") == 0)
		unique = next_word(&arg, &unique_len);
	wk_buf_init(&b, (size_t)16 << 20);
	if (strcmp(command, "ms") == 0)
		wk_buf_printf(&b, "ms %.*s %zu", key_len, key, strlen(arg));
	else
		wk_buf_printf(&b, "%s %.*s 0 0 %zu%s%.*s", command, key_len,
		    key, strlen(arg), unique_len > 0 ? " " : "", unique_len,
		    unique);
	wk_buf_printf(&b, "\r\n%s\r\n", arg);
	return send_and_show(&b);
}

/* What memcached itself knows, all on one line. */
static int
run_as_it_is(const char *command, const char *arg)
{
	struct wk_buf b;

	wk_buf_init(&b, 65536);
	wk_buf_printf(&b, "%s%s%s\r\n", command, *arg != '\0' ? " " : "",
	    arg);
	return send_and_show(&b);
}

/* The stopper itself, whose answer is not shown otherwise. */
static int
run_nothing(const char *command, const char *arg)
{
	struct wk_buf b;
	int rc;

	(void)command;
	(void)arg;
	wk_buf_init(&b, 64);
	rc = send_and_show(&b);
	if (rc == WK_EXIT_OK)
		wk_out_text("MN\n");
	return rc;
}

static int run_help(const char *command, const char *arg);

enum completes {
	NOTHING,
	KEYS,
	LABELS,
	STATS,
};

static const struct command {
	const char *name, *arg, *help;
	int (*run)(const char *command, const char *arg);
	enum completes completes;
} commands[] = {
	{ "help", "", "this list", run_help, NOTHING },
	{ "pools", "", "requests, errors and times of pools", run_pools,
	    NOTHING },
	{ "backends", "", "the same of backends, and how they are",
	    run_backends, NOTHING },
	{ "routes", "", "the same of routes", run_routes, NOTHING },
	{ "where", "KEY [TAG]", "the backend that a key goes to", run_where,
	    KEYS },
	{ "down", "LABEL", "send a backend no more requests", run_down,
	    LABELS },
	{ "up", "LABEL", "use it again", run_up, LABELS },
	{ "reload", "", "read the configuration again", run_reload, NOTHING },
	{ "stats", "[WHAT]", "statistics of all kinds", run_as_it_is, STATS },
	{ "get", "KEY...", "values", run_as_it_is, KEYS },
	{ "gets", "KEY...", "values with their cas numbers", run_as_it_is,
	    KEYS },
	{ "gat", "SEC KEY...", "values, and another time to live",
	    run_as_it_is, KEYS },
	{ "gats", "SEC KEY...", "the same with cas numbers", run_as_it_is,
	    KEYS },
	{ "set", "KEY TEXT", "store the rest of the line", run_store, KEYS },
	{ "add", "KEY TEXT", "the same if there is none", run_store, KEYS },
	{ "replace", "KEY TEXT", "the same if there is one", run_store, KEYS },
	{ "cas", "KEY CAS TEXT", "the same if it has this number", run_store,
	    KEYS },
	{ "append", "KEY TEXT", "add at the end of a value", run_store, KEYS },
	{ "prepend", "KEY TEXT", "add at the beginning", run_store, KEYS },
	{ "delete", "KEY", "remove a value", run_as_it_is, KEYS },
	{ "incr", "KEY N", "count up", run_as_it_is, KEYS },
	{ "decr", "KEY N", "count down", run_as_it_is, KEYS },
	{ "touch", "KEY SEC", "another time to live", run_as_it_is, KEYS },
	{ "mg", "KEY FLAG...", "a value with meta flags", run_as_it_is, KEYS },
	{ "ms", "KEY TEXT", "store the rest of the line", run_store, KEYS },
	{ "md", "KEY FLAG...", "remove with meta flags", run_as_it_is, KEYS },
	{ "ma", "KEY FLAG...", "count with meta flags", run_as_it_is, KEYS },
	{ "me", "KEY", "what is known of a value", run_as_it_is, KEYS },
	{ "mn", "", "nothing, answered with MN", run_nothing, NOTHING },
	{ "flush_all", "[SEC]", "forget all values (administration)",
	    run_as_it_is, NOTHING },
	{ "verbosity", "N", "accepted, without effect", run_as_it_is,
	    NOTHING },
	{ "version", "", "of the proxy", run_as_it_is, NOTHING },
	{ "quit", "", "the end", NULL, NOTHING },
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int
run_help(const char *command, const char *arg)
{
	size_t i;

	(void)command;
	(void)arg;
	for (i = 0; i < N_COMMANDS; i++)
		wk_out_printf("%-9s %-12s %s\n", commands[i].name,
		    commands[i].arg, commands[i].help);
	return WK_EXIT_OK;
}

static const struct command *
find_command(const char *line, size_t len)
{
	size_t i;

	for (i = 0; i < N_COMMANDS; i++)
		if (strlen(commands[i].name) == len &&
		    memcmp(commands[i].name, line, len) == 0)
			return &commands[i];
	return NULL;
}

static int
run_line(const char *line)
{
	size_t len = strcspn(line, " ");
	const struct command *c = find_command(line, len);
	const char *arg = line + len + strspn(line + len, " ");

	if (c == NULL || c->run == NULL) {
		wk_out_printf("%.*s is no command here; help lists them\n",
		    (int)(len < 60 ? len : 60), line);
		return WK_EXIT_REFUSED;
	}
	return c->run(c->name, arg);
}

/* --- completion ----------------------------------------------------------- */

static char *words[WORDS_MAX];
static size_t n_words;

static void
forget_words(void)
{
	while (n_words > 0)
		free(words[--n_words]);
}

static void
add_word(const char *text)
{
	if (n_words < WORDS_MAX && (words[n_words] = strdup(text)) != NULL)
		n_words++;
}

/* "STAT name:field value", the names once each. */
static void
fetch_names(const char *question, const char *before, const char *behind)
{
	char *lines[WORDS_MAX], text[512], last[512] = "", *colon, *blank;
	size_t i, n = fetch(question, "STAT ", lines);

	for (i = 0; i < n; i++) {
		blank = strchr(lines[i], ' ');
		if (blank != NULL)
			*blank = '\0';
		colon = strrchr(lines[i], ':');
		if (colon != NULL) {
			*colon = '\0';
			snprintf(text, sizeof(text), "%s%s%s", before,
			    lines[i], behind);
			if (strcmp(text, last) != 0)
				add_word(text);
			strcpy(last, text);
		}
		free(lines[i]);
	}
}

static void
fetch_prefixes(void)
{
	n_words = fetch("proxy prefixes\r\n", "PREFIX ", words);
	/* Where administration is not allowed there are at least the pools. */
	if (n_words == 0)
		fetch_names("stats pools\r\n", "/", "/");
}

static void
collect(enum completes what)
{
	static const char *const kinds[] = { "backends", "config",
	    "histograms", "pools", "proxy", "proxybe", "proxyfuncs", "routes",
	    "settings" };
	size_t i;

	switch (what) {
	case KEYS:
		fetch_prefixes();
		break;
	case LABELS:
		fetch_names("stats backends\r\n", "", "");
		break;
	case STATS:
		for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			add_word(kinds[i]);
		break;
	case NOTHING:
		break;
	}
}

static char *
next_match(const char *text, int state)
{
	static size_t next;

	if (state == 0)
		next = 0;
	while (next < n_words)
		if (strncmp(words[next++], text, strlen(text)) == 0)
			return strdup(words[next - 1]);
	return NULL;
}

static char **
complete(const char *text, int start, int end)
{
	const struct command *c;
	size_t i;

	(void)end;
	rl_attempted_completion_over = 1;
	forget_words();
	if (start == 0) {
		for (i = 0; i < N_COMMANDS; i++)
			add_word(commands[i].name);
	} else {
		c = find_command(rl_line_buffer, strcspn(rl_line_buffer, " "));
		if (c == NULL)
			return NULL;
		collect(c->completes);
		/* A key goes on behind its prefix. */
		rl_completion_append_character = c->completes == KEYS ? '\0' :
		    ' ';
	}
	return rl_completion_matches(text, next_match);
}

/* --- running -------------------------------------------------------------- */

static char *
history_path(void)
{
	const char *path = getenv("MCPROXY_HISTORY"), *home = getenv("HOME");
	char *text;

	if (path != NULL)
		return *path != '\0' ? strdup(path) : NULL;
	if (home == NULL || asprintf(&text, "%s/.mcproxy_history", home) < 0)
		return NULL;
	return text;
}

static int
talk(void)
{
	char *path = history_path(), *line;
	int rc = WK_EXIT_OK;

	rl_readline_name = "mcproxy";
	rl_attempted_completion_function = complete;
	rl_completer_word_break_characters = " ";
	using_history();
	stifle_history(HISTORY_MAX);
	if (path != NULL)
		read_history(path);
	while (rc != WK_EXIT_NETWORK &&
	    (line = readline("mcproxy> ")) != NULL) {
		if (*line != '\0')
			add_history(line);
		rc = WK_EXIT_OK;
		if (strcmp(line, "quit") == 0) {
			free(line);
			break;
		}
		if (*line != '\0')
			rc = run_line(line);
		free(line);
		if (wk_out_flush() != WK_OK)
			break;
	}
	if (path != NULL)
		write_history(path);
	free(path);
	forget_words();
	/* A refusal was shown, and is no failure of the console. */
	return rc == WK_EXIT_NETWORK ? rc : WK_EXIT_OK;
}

static int
read_lines(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int rc = WK_EXIT_OK, one;

	while ((n = getline(&line, &size, stdin)) >= 0) {
		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			line[--n] = '\0';
		if (n == 0)
			continue;
		if (strcmp(line, "quit") == 0)
			break;
		one = run_line(line);
		if (rc == WK_EXIT_OK)
			rc = one;
		if (one == WK_EXIT_NETWORK || wk_out_flush() != WK_OK)
			break;
	}
	free(line);
	return rc;
}

int
console_run(const char *address)
{
	int rc = link_open(&link_, address);

	if (rc != WK_EXIT_OK)
		return rc;
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		rc = talk();
	else
		rc = read_lines();
	link_close(&link_);
	return rc;
}

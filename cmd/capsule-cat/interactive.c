/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/interactive.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "cmd/capsule-cat/decoder.h"
#include "cmd/capsule-cat/typed.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"
#include "common/cli/tunnel.h"
#include "common/wire/datagram.h"

#define HISTORY_MAX 500
#define PROMPT "capsule> "

/* readline knows one conversation per process, so there is one. */
static struct talk {
	const struct options *opt;
	struct wk_tunnel dial;
	struct wk_io keys;
	struct decoder decoder;
	struct wk_buf out;	/* what the tunnel did not take yet */
	uint64_t context_id;	/* of "text" */
	uint64_t n_sent, octets_sent, octets_received;
	bool is_prompting, has_finished;
	char history[512];	/* file; "" if there is no place for one */
	int rc;
} talk;

/* --- the screen ----------------------------------------------------------- */

/* What is said goes above the line that is being typed. */
static void
screen_begin(void)
{
	if (talk.is_prompting)
		rl_clear_visible_line();
}

static void
screen_end(void)
{
	wk_out_flush();
	if (talk.is_prompting)
		rl_forced_update_display();
}

static void __attribute__((format(printf, 1, 2)))
say(const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	wk_out_printf("%s\n", text);
	wk_out_flush();
}

static void
prompt_end(void)
{
	if (!talk.is_prompting)
		return;
	talk.is_prompting = false;
	wk_io_watch(&talk.keys, 0);
	rl_clear_visible_line();
	rl_callback_handler_remove();
}

/* --- into the tunnel ------------------------------------------------------ */

static void
pump(void)
{
	ssize_t n;

	if (talk.dial.stream == NULL)
		return;
	if (talk.out.len > 0) {
		n = wk_stream_write(talk.dial.stream, talk.out.data,
		    talk.out.len);
		if (n <= 0)
			return;
		talk.out.len -= (size_t)n;
		memmove(talk.out.data, talk.out.data + n, talk.out.len);
	}
	if (talk.out.len == 0 && talk.has_finished)
		wk_stream_finish(talk.dial.stream);
}

static void
finish(void)
{
	talk.has_finished = true;
	pump();
}

/* What was appended to talk.out from that length on is one capsule more. */
static void
sent(size_t before)
{
	if (talk.has_finished) {
		talk.out.len = before;
		say("our direction has ended; only quit is left");
		return;
	}
	talk.n_sent++;
	talk.octets_sent += talk.out.len - before;
	pump();
}

static void
send_datagram(const char *text)
{
	struct wk_datagram d = { .context_id = talk.context_id };
	uint8_t id[WK_VARINT_OCTETS_MAX], header[WK_CAPSULE_HEADER_MAX];
	size_t n = talk.opt->has_no_context ? 0 : wk_datagram_header(id, &d);
	struct wk_capsule cap = { .length = n + strlen(text) };
	size_t before = talk.out.len;

	wk_buf_append(&talk.out, header, wk_capsule_header(header, &cap));
	wk_buf_append(&talk.out, id, n);
	if (wk_buf_append(&talk.out, text, strlen(text)) == WK_OK) {
		sent(before);
		return;
	}
	talk.out.len = before;
	talk.out.status = WK_OK;
	say("out of memory");
}

/* --- commands ------------------------------------------------------------- */

static void
do_context(const char *rest)
{
	struct wk_error error;
	uint64_t id;

	if (*rest == '\0')
		say("context id %" PRIu64, talk.context_id);
	else if (wk_uint_parse(rest, 0, WK_VARINT_MAX, &id, &error) != WK_OK)
		say("context: %s", error.reason);
	else
		talk.context_id = id;
}

static void
do_raw(const char *rest)
{
	struct wk_error error;
	size_t before = talk.out.len;

	if (typed_value(wk_str_of(rest), &talk.out, &error) == WK_OK) {
		sent(before);
		return;
	}
	say("column %" PRIu64 ": %s", error.offset, error.reason);
}

static void
do_types(const char *rest)
{
	const struct wk_capsule_type *types;
	const char *name;
	size_t n, i;

	types = wk_capsule_types(&n);
	for (i = 0; i < n; i++) {
		name = wk_capsule_type_name(&types[i], talk.opt->reading);
		if (strcasestr(name, rest) != NULL)
			say("0x%-9" PRIx64 " %s%s", types[i].type, name,
			    (types[i].flags & WK_CAPSULE_LEGACY) != 0 ?
			    " (legacy)" : "");
	}
}

static void
do_status(const char *rest)
{
	struct wk_stream *s = talk.dial.stream;

	(void)rest;
	if (s == NULL) {
		say("the tunnel is closed");
		return;
	}
	say("%s, stream %" PRIu64 ", sent %" PRIu64 " capsules, %" PRIu64
	    " octets (%zu waiting), received %" PRIu64 " capsules, %" PRIu64
	    " octets", wk_http_version_text(wk_stream_version(s)),
	    wk_stream_id(s), talk.n_sent, talk.octets_sent,
	    talk.out.len + wk_stream_queued(s), talk.decoder.n_capsules,
	    talk.octets_received);
}

static void
do_finish(const char *rest)
{
	(void)rest;
	finish();
}

static void
do_quit(const char *rest)
{
	(void)rest;
	prompt_end();
	wk_tunnel_cancel(&talk.dial, "quit");
}

static void do_help(const char *rest);

static const struct command {
	const char *name, *help;
	void (*run)(const char *rest);
} commands[] = {
	{ "context", "[ID]: the context id of what text sends", do_context },
	{ "finish", ": end our direction, go on listening", do_finish },
	{ "help", ": this", do_help },
	{ "quit", ": end (Ctrl-D, too)", do_quit },
	{ "raw", "PART...: octets as they are, no capsule around", do_raw },
	{ "status", ": the connection, and what was sent and received",
	    do_status },
	{ "text", "TEXT: a datagram of the rest of the line", send_datagram },
	{ "types", "[PART]: types that are known, with that in their name",
	    do_types },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
do_help(const char *rest)
{
	size_t i;

	(void)rest;
	say("TYPE PART...: a capsule of that type, by name or number; parts are"
	    "\n  hexadecimal, \"text\", v:N (varint), u8:N u16:N u32:N u64:N,"
	    " ip:ADDRESS");
	for (i = 0; i < N_COMMANDS; i++)
		say("%s%s%s", commands[i].name,
		    commands[i].help[0] == ':' ? "" : " ", commands[i].help);
}

static void
do_capsule(const char *line)
{
	struct wk_error error;
	size_t before = talk.out.len;

	if (typed_capsule(wk_str_of(line), talk.opt->reading, &talk.out,
	    &error) == WK_OK)
		sent(before);
	else
		say("column %" PRIu64 ": %s; help tells more", error.offset,
		    error.reason);
}

static void
obey(const char *line)
{
	size_t len = strcspn(line, " \t"), i;
	const char *rest = line + len + strspn(line + len, " \t");

	for (i = 0; i < N_COMMANDS; i++)
		if (strlen(commands[i].name) == len &&
		    strncmp(commands[i].name, line, len) == 0) {
			commands[i].run(rest);
			return;
		}
	do_capsule(line);
}

/* --- readline ------------------------------------------------------------- */

static void
on_line(char *line)
{
	const char *text;

	if (line == NULL) {
		do_quit("");
		return;
	}
	text = line + strspn(line, " \t");
	if (*text != '\0') {
		add_history(line);
		obey(text);
	}
	free(line);
}

static void
on_key(struct wk_io *io, unsigned events)
{
	(void)io;
	(void)events;
	rl_callback_read_char();
}

/* Words that fit: commands and names of types, one per call. */
static char *
next_word(const char *text, int state)
{
	static size_t i;
	const struct wk_capsule_type *types;
	size_t n, len = strlen(text);
	const char *name;

	if (state == 0)
		i = 0;
	types = wk_capsule_types(&n);
	while (i < N_COMMANDS + n) {
		name = i < N_COMMANDS ? commands[i].name :
		    wk_capsule_type_name(&types[i - N_COMMANDS],
		    talk.opt->reading);
		i++;
		if (strncasecmp(name, text, len) == 0)
			return strdup(name);
	}
	return NULL;
}

static char **
complete(const char *text, int start, int end)
{
	(void)end;
	rl_attempted_completion_over = 1;	/* no file names */
	return start == 0 || strncmp(rl_line_buffer, "types ", 6) == 0 ?
	    rl_completion_matches(text, next_word) : NULL;
}

/* $XDG_STATE_HOME/wirekit/capsule-cat-history; none where there is no home. */
static void
history_begin(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char dir[480], *slash;
	int n;

	using_history();
	stifle_history(HISTORY_MAX);
	if (state != NULL && state[0] == '/')
		n = snprintf(dir, sizeof(dir), "%s/wirekit", state);
	else if (home != NULL && home[0] == '/')
		n = snprintf(dir, sizeof(dir), "%s/.local/state/wirekit", home);
	else
		return;
	if (n < 0 || (size_t)n >= sizeof(dir))
		return;
	/* With all above it: a new account has none of them. */
	for (slash = dir + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		mkdir(dir, 0700);
		*slash = '/';
	}
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return;
	snprintf(talk.history, sizeof(talk.history), "%s/capsule-cat-history",
	    dir);
	read_history(talk.history);
}

static void
history_end(void)
{
	if (talk.history[0] != '\0')
		write_history(talk.history);
}

/* --- out of the tunnel ---------------------------------------------------- */

static void
on_open(struct wk_tunnel *d, struct wk_stream *s)
{
	wk_notice("open over %s; help tells what to type",
	    wk_http_version_text(wk_stream_version(s)));
	rl_readline_name = "capsule-cat";
	rl_attempted_completion_function = complete;
	rl_catch_signals = 0;	/* the loop hears them */
	talk.is_prompting = true;
	rl_callback_handler_install(PROMPT, on_line);
	wk_io_init(&talk.keys, d->loop, STDIN_FILENO, on_key, NULL);
	wk_io_watch(&talk.keys, WK_IO_READ);
}

static void
on_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	int rc;

	talk.octets_received += len;
	screen_begin();
	rc = decoder_feed(&talk.decoder, data, len);
	screen_end();
	wk_stream_consume(s, len);
	if (rc == WK_EXIT_OK)
		return;
	talk.rc = rc;
	prompt_end();
	wk_tunnel_cancel(&talk.dial, "what arrived is malformed");
}

static void
on_end(struct wk_stream *s)
{
	int rc;

	(void)s;
	screen_begin();
	rc = decoder_finish(&talk.decoder, true);
	say("the peer has ended its direction");
	screen_end();
	if (rc == WK_EXIT_OK) {
		finish();
		return;
	}
	talk.rc = rc;
	prompt_end();
	wk_tunnel_cancel(&talk.dial, "what arrived is malformed");
}

static void
on_writable(struct wk_stream *s)
{
	(void)s;
	pump();
}

static void
on_over(struct wk_tunnel *d)
{
	(void)d;
	prompt_end();
}

static const struct wk_tunnel_handler handler = {
	.open = on_open,
	.over = on_over,
	.stream = {
		.data = on_data, .end = on_end, .writable = on_writable,
	},
};

int
interactive(const struct options *opt)
{
	const struct wk_tunnel_options wanted = options_tunnel(opt);
	int rc;

	if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
		return wk_usage_error("--interactive needs a terminal");
	talk.opt = opt;
	rc = wk_tunnel_init(&talk.dial, &wanted, &handler, &talk);
	if (rc != WK_EXIT_OK)
		return rc;
	wk_buf_init(&talk.out, SIZE_MAX);
	decoder_init(&talk.decoder, opt, opt->url, false);
	history_begin();
	rc = wk_tunnel_run(&talk.dial);
	prompt_end();
	history_end();
	decoder_free(&talk.decoder);
	wk_buf_free(&talk.out);
	wk_tunnel_free(&talk.dial);
	wk_signals_obey();
	return rc == WK_EXIT_OK ? talk.rc : rc;
}

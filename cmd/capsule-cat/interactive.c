/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/capsule-cat/interactive.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cmd/capsule-cat/decoder.h"
#include "cmd/capsule-cat/typed.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/prompt.h"
#include "common/cli/signals.h"
#include "common/cli/tunnel.h"
#include "common/wire/datagram.h"

/* There is one prompt, so there is one conversation. */
static struct talk {
	const struct options *opt;
	struct wk_tunnel dial;
	struct decoder decoder;
	struct wk_buf out;	/* what the tunnel did not take yet */
	uint64_t context_id;	/* of "text" */
	uint64_t n_sent, octets_sent, octets_received;
	bool has_finished;
	int rc;
} talk;

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
		wk_prompt_say("our direction has ended; only quit is left");
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
	wk_prompt_say("out of memory");
}

/* --- commands ------------------------------------------------------------- */

static void
do_context(const char *rest)
{
	struct wk_error error;
	uint64_t id;

	if (*rest == '\0')
		wk_prompt_say("context id %" PRIu64, talk.context_id);
	else if (wk_uint_parse(rest, 0, WK_VARINT_MAX, &id, &error) != WK_OK)
		wk_prompt_say("context: %s", error.reason);
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
	wk_prompt_say("column %" PRIu64 ": %s", error.offset, error.reason);
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
			wk_prompt_say("0x%-9" PRIx64 " %s%s", types[i].type, name,
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
		wk_prompt_say("the tunnel is closed");
		return;
	}
	wk_prompt_say("%s, stream %" PRIu64 ", sent %" PRIu64 " capsules, %"
	    PRIu64 " octets (%zu waiting), received %" PRIu64 " capsules, %"
	    PRIu64 " octets", wk_http_version_text(wk_stream_version(s)),
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
	wk_prompt_end();
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
	wk_prompt_say("TYPE PART...: a capsule of that type, by name or "
	    "number; parts are\n  hexadecimal, \"text\", v:N (varint), u8:N "
	    "u16:N u32:N u64:N, ip:ADDRESS");
	for (i = 0; i < N_COMMANDS; i++)
		wk_prompt_say("%s%s%s", commands[i].name,
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
		wk_prompt_say("column %" PRIu64 ": %s; help tells more",
		    error.offset, error.reason);
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

/* --- the prompt ----------------------------------------------------------- */

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

/* NULL: Ctrl-D. */
static void
on_line(const char *line)
{
	if (line == NULL)
		do_quit("");
	else
		obey(line);
}

static const struct wk_prompt prompt = {
	.text = "capsule> ",
	.line = on_line,
	.word = next_word,
	.completed_command = "types",
};

/* --- out of the tunnel ---------------------------------------------------- */

static void
on_open(struct wk_tunnel *d, struct wk_stream *s)
{
	wk_notice("open over %s; help tells what to type",
	    wk_http_version_text(wk_stream_version(s)));
	wk_prompt_begin(d->loop, &prompt);
}

static void
on_data(struct wk_stream *s, const uint8_t *data, size_t len)
{
	int rc;

	talk.octets_received += len;
	wk_prompt_hide();
	rc = decoder_feed(&talk.decoder, data, len);
	wk_prompt_show();
	wk_stream_consume(s, len);
	if (rc == WK_EXIT_OK)
		return;
	talk.rc = rc;
	wk_prompt_end();
	wk_tunnel_cancel(&talk.dial, "what arrived is malformed");
}

static void
on_end(struct wk_stream *s)
{
	int rc;

	(void)s;
	wk_prompt_hide();
	rc = decoder_finish(&talk.decoder, true);
	wk_prompt_say("the peer has ended its direction");
	wk_prompt_show();
	if (rc == WK_EXIT_OK) {
		finish();
		return;
	}
	talk.rc = rc;
	wk_prompt_end();
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
	wk_prompt_end();
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
	rc = wk_tunnel_run(&talk.dial);
	wk_prompt_end();
	decoder_free(&talk.decoder);
	wk_buf_free(&talk.out);
	wk_tunnel_free(&talk.dial);
	wk_signals_obey();
	return rc == WK_EXIT_OK ? talk.rc : rc;
}

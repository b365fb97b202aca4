/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/interactive.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cmd/h3dgram/datagrams.h"
#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/options.h"
#include "common/cli/out.h"
#include "common/cli/prompt.h"
#include "common/cli/signals.h"
#include "common/cli/tunnel.h"

#define SETTINGS_MAX 64
#define SHOWN_MAX 256		/* octets of a datagram */

/* There is one prompt, so there is one conversation. */
static struct talk {
	struct options opt;	/* a copy: the context may be changed */
	struct wk_tunnel tunnel;
	struct datagrams datagrams;
	bool has_finished;
	int rc;
} talk;

static void
give_up(int rc, const char *reason)
{
	talk.rc = rc;
	wk_prompt_end();
	wk_tunnel_cancel(&talk.tunnel, reason);
}

/* --- into the tunnel ------------------------------------------------------ */

static void
send_octets(const uint8_t *data, size_t len)
{
	if (talk.tunnel.stream == NULL || talk.has_finished) {
		wk_prompt_say("our direction has ended; only quit is left");
		return;
	}
	switch (datagrams_send(&talk.datagrams, talk.tunnel.stream,
	    talk.opt.context_id, data, len)) {
	case DATAGRAMS_SENT:
		break;
	case DATAGRAMS_BLOCKED:
		wk_prompt_say("not sent: the peer takes nothing now");
		break;
	case DATAGRAMS_DROPPED:
		wk_prompt_say("not sent: too big, the path takes at most %zu "
		    "octets now", datagrams_max(&talk.datagrams,
		    talk.tunnel.stream));
		break;
	case DATAGRAMS_FAILED:
		wk_tunnel_hush(&talk.tunnel);
		give_up(WK_EXIT_NO, "too big");
		break;
	case DATAGRAMS_CLOSED:
		wk_prompt_say("not sent: the tunnel is closed");
		break;
	}
}

static void
do_text(const char *rest)
{
	send_octets((const uint8_t *)rest, strlen(rest));
}

static void
do_hex(const char *rest)
{
	struct wk_error error;
	struct wk_buf octets;

	wk_buf_init(&octets, WK_DATAGRAM_UDP_MAX);
	if (wk_hex_parse(&octets, rest, strlen(rest), &error) != WK_OK)
		wk_prompt_say("column %" PRIu64 ": %s", error.offset,
		    error.reason);
	else
		send_octets(octets.data, octets.len);
	wk_buf_free(&octets);
}

static void
do_finish(const char *rest)
{
	(void)rest;
	talk.has_finished = true;
	if (talk.tunnel.stream != NULL)
		wk_stream_finish(talk.tunnel.stream);
}

static void
do_quit(const char *rest)
{
	(void)rest;
	wk_prompt_end();
	wk_tunnel_cancel(&talk.tunnel, "quit");
}

/* --- what is known -------------------------------------------------------- */

static void
do_context(const char *rest)
{
	struct wk_error error;
	uint64_t id;

	if (talk.opt.has_no_context)
		wk_prompt_say("datagrams have no context id (--no-context)");
	else if (*rest == '\0')
		wk_prompt_say("context id %" PRIu64, talk.opt.context_id);
	else if (wk_uint_parse(rest, 0, WK_VARINT_MAX, &id, &error) != WK_OK)
		wk_prompt_say("context: %s", error.reason);
	else
		talk.opt.context_id = id;
}

static void
do_stats(const char *rest)
{
	const struct datagrams *d = &talk.datagrams;
	struct wk_transport_stats t;

	(void)rest;
	wk_prompt_say("sent %" PRIu64 " datagrams, %" PRIu64 " octets, %"
	    PRIu64 " too big, %" PRIu64 " blocked; received %" PRIu64 ", %"
	    PRIu64 " octets", d->sent, d->octets_sent, d->too_big, d->blocked,
	    d->received, d->octets_received);
	if (talk.tunnel.stream == NULL || !wk_session_stats(wk_stream_session(
	    talk.tunnel.stream), &t))
		return;
	wk_prompt_say("frames: %" PRIu64 " sent, %" PRIu64 " acknowledged, %"
	    PRIu64 " lost, %" PRIu64 " received", t.datagrams_sent,
	    t.datagrams_acked, t.datagrams_lost, t.datagrams_received);
	wk_prompt_say("packets: %" PRIu64 " sent, %" PRIu64 " received, at "
	    "most %zu octets; rtt %.3f ms (smoothed), %.3f (least); window %"
	    PRIu64 " octets, %" PRIu64 " in flight", t.packets_sent,
	    t.packets_received, t.max_udp_payload,
	    (double)t.smoothed_rtt_ns / 1e6, (double)t.min_rtt_ns / 1e6,
	    t.cwnd, t.bytes_in_flight);
}

static void
do_settings(const char *rest)
{
	struct wk_setting settings[SETTINGS_MAX];
	size_t n = 0, i;

	(void)rest;
	if (talk.tunnel.stream != NULL)
		n = wk_session_settings(wk_stream_session(talk.tunnel.stream),
		    settings, SETTINGS_MAX);
	if (n == 0)
		wk_prompt_say("the peer has announced no settings");
	for (i = 0; i < n && i < SETTINGS_MAX; i++)
		wk_prompt_say("0x%" PRIx64 " %s %" PRIu64, settings[i].id,
		    settings[i].name != NULL ? settings[i].name : "(unknown)",
		    settings[i].value);
}

static void
do_status(const char *rest)
{
	const struct wk_stream *s = talk.tunnel.stream;
	char text[DATAGRAMS_TEXT_MAX];

	(void)rest;
	if (s == NULL)
		wk_prompt_say("the tunnel is closed");
	else
		wk_prompt_say("%s, stream %" PRIu64 ", %zu octets waiting%s",
		    datagrams_text(&talk.datagrams, s, text), wk_stream_id(s),
		    wk_stream_queued(s),
		    talk.has_finished ? ", our direction has ended" : "");
}

/* --- commands ------------------------------------------------------------- */

static void do_help(const char *rest);

static const struct command {
	const char *name, *help;
	void (*run)(const char *rest);
} commands[] = {
	{ "context", "[ID]: the context id of what is sent",
	    do_context },
	{ "finish", ": end our direction, go on listening", do_finish },
	{ "help", ": this", do_help },
	{ "hex", "OCTETS: a datagram, in hexadecimal", do_hex },
	{ "quit", ": end (Ctrl-D, too)", do_quit },
	{ "settings", ": what the peer has announced", do_settings },
	{ "stats", ": datagrams, and how the connection does", do_stats },
	{ "status", ": the connection", do_status },
	{ "text", "TEXT: a datagram of the rest of the line", do_text },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
do_help(const char *rest)
{
	size_t i;

	(void)rest;
	for (i = 0; i < N_COMMANDS; i++)
		wk_prompt_say("%s%s%s", commands[i].name,
		    commands[i].help[0] == ':' ? "" : " ", commands[i].help);
}

static void
on_line(const char *line)
{
	size_t len, i;

	if (line == NULL) {
		do_quit("");
		return;
	}
	len = strcspn(line, " \t");
	for (i = 0; i < N_COMMANDS; i++)
		if (strlen(commands[i].name) == len &&
		    strncmp(commands[i].name, line, len) == 0) {
			commands[i].run(line + len + strspn(line + len,
			    " \t"));
			return;
		}
	wk_prompt_say("%.*s: no such command; help tells them", (int)len,
	    line);
}

static char *
next_word(const char *text, int state)
{
	static size_t i;
	size_t len = strlen(text);

	if (state == 0)
		i = 0;
	while (i < N_COMMANDS)
		if (strncasecmp(commands[i++].name, text, len) == 0)
			return strdup(commands[i - 1].name);
	return NULL;
}

static const struct wk_prompt prompt = {
	.text = "datagram> ", .line = on_line, .word = next_word,
};

/* --- out of the tunnel ---------------------------------------------------- */

static void
show(const struct wk_datagram *d)
{
	size_t len = d->payload_len < SHOWN_MAX ? d->payload_len : SHOWN_MAX;
	struct wk_buf text;

	wk_buf_init(&text, 8 * SHOWN_MAX);
	wk_text_escape(&text, d->payload, len, '"');
	wk_prompt_hide();
	if (!talk.opt.has_no_context)
		wk_out_printf("context_id %" PRIu64 " ", d->context_id);
	wk_out_printf("length %zu payload ", d->payload_len);
	wk_out_hex(d->payload, len);
	wk_out_printf("%s \"", len < d->payload_len ? "..." : "");
	wk_out_write(text.data, text.len);
	wk_out_text("\"\n");
	wk_prompt_show();
	wk_buf_free(&text);
}

static void
on_datagram(struct wk_stream *s, const uint8_t *data, size_t len)
{
	struct wk_datagram d;

	if (datagrams_take(&talk.datagrams, s, data, len, &d))
		show(&d);
}

static void
on_end(struct wk_stream *s)
{
	(void)s;
	wk_prompt_hide();
	wk_prompt_say("the peer has ended its direction");
	wk_prompt_show();
	do_finish("");
}

static void
on_open(struct wk_tunnel *tunnel, struct wk_stream *s)
{
	char text[DATAGRAMS_TEXT_MAX];
	int rc = datagrams_open(&talk.datagrams, s);

	if (rc != WK_EXIT_OK) {
		wk_tunnel_hush(tunnel);
		give_up(rc, "no datagrams");
		return;
	}
	wk_notice("open over %s; help tells what to type",
	    datagrams_text(&talk.datagrams, s, text));
	wk_prompt_begin(tunnel->loop, &prompt);
}

static void
on_over(struct wk_tunnel *tunnel)
{
	(void)tunnel;
	wk_prompt_end();
}

static const struct wk_tunnel_handler handler = {
	.open = on_open,
	.over = on_over,
	.stream = { .datagram = on_datagram, .end = on_end },
};

int
interactive(const struct options *opt)
{
	const struct wk_tunnel_options wanted = options_tunnel(opt);
	int rc;

	if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
		return wk_usage_error("--interactive needs a terminal");
	talk.opt = *opt;
	datagrams_init(&talk.datagrams, &talk.opt);
	rc = wk_tunnel_init(&talk.tunnel, &wanted, &handler, &talk);
	if (rc != WK_EXIT_OK)
		return rc;
	options_apply_client(opt, &talk.tunnel.client_options);
	rc = wk_tunnel_run(&talk.tunnel);
	wk_prompt_end();
	wk_tunnel_free(&talk.tunnel);
	wk_signals_obey();
	return rc == WK_EXIT_OK ? talk.rc : rc;
}

/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/craft.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "cmd/rstdiag-send/output.h"
#include "cmd/rstdiag-send/payload.h"
#include "cmd/rstdiag-send/watch.h"
#include "common/base/clock.h"
#include "common/base/ratelimit.h"
#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/options.h"
#include "common/cli/out.h"
#include "common/cli/signals.h"

#define DEFAULT_TTL 64

struct craft {
	const struct options *opt;
	struct output out;
	struct payloads payloads;
	struct wk_buf tcp_options;
	struct wk_segment segment;
	struct wk_ratelimit rate;
};

static int
parse_tcp_options(struct craft *c)
{
	const char *hex = c->opt->tcp_options;
	struct wk_error error;

	wk_buf_init(&c->tcp_options, WK_TCP_OPTIONS_MAX);
	if (hex == NULL || wk_hex_parse(&c->tcp_options, hex, strlen(hex),
	    &error) == WK_OK)
		return WK_EXIT_OK;
	return wk_usage_error("--tcp-options: character %" PRIu64 ": %s",
	    error.offset + 1, error.reason);
}

static void
fill_segment(struct craft *c)
{
	const struct options *o = c->opt;
	struct wk_segment *s = &c->segment;

	memset(s, 0, sizeof(*s));
	s->ip_version = o->src.ip_version;
	memcpy(s->src, o->src.address, sizeof(s->src));
	memcpy(s->dst, o->dst.address, sizeof(s->dst));
	s->src_port = o->src.port;
	s->dst_port = o->dst.port;
	s->ttl = DEFAULT_TTL;
	s->has_df = true;
	s->ip_id = (uint32_t)or_else(o->ip_id, 0);
	s->seq = (uint32_t)or_else(o->seq, 0);
	s->ack = (uint32_t)or_else(o->ack, 0);
	s->flags = o->flags;
	s->options = c->tcp_options.data;
	s->options_len = c->tcp_options.len;
}

/* Wait for the next turn; false when it is not to come. */
static bool
wait_turn(struct craft *c)
{
	struct pollfd p = { .fd = wk_signals_fd(), .events = POLLIN };
	uint64_t now_ns = wk_clock_now_ns();

	while (!wk_ratelimit_take(&c->rate, now_ns)) {
		uint64_t next_ns = wk_ratelimit_next_ns(&c->rate, now_ns);

		if (!output_flush(&c->out))
			return false;
		poll(&p, 1, (int)((next_ns - now_ns + 999999) / 1000000));
		if (wk_signals_stopped() != 0)
			return false;
		now_ns = wk_clock_now_ns();
	}
	return wk_signals_stopped() == 0;
}

static int
send_payloads(struct craft *c)
{
	size_t i;

	for (i = 0; i < c->payloads.n; i++)
		output_payload(&c->out, &c->payloads.octets[i]);
	return WK_EXIT_OK;
}

static int
send_all(struct craft *c)
{
	uint64_t left = or_else(c->opt->count, 1);
	enum output_result result;

	for (; left > 0 && wait_turn(c); left--) {
		result = output_resets(&c->out, &c->segment,
		    c->payloads.octets, c->payloads.n);
		if (result == OUTPUT_NOT_SENT) {
			wk_warn("%s", c->out.failure);
			return output_exit_code(c->out.failed_errno);
		}
		if (result == OUTPUT_BROKEN)
			break;
	}
	return WK_EXIT_OK;
}

static void
sum_up(const struct craft *c)
{
	const struct output *out = &c->out;

	if (wk_cli.is_json) {
		wk_json_begin("summary");
		wk_json_str("mode", "craft");
		wk_json_bool("dry_run", !options_is_injecting(c->opt));
		wk_json_uint("sent", out->sent);
		wk_json_uint("octets", out->octets);
		wk_json_end();
	}
	wk_notice("%" PRIu64 " %s%s, %" PRIu64 " octets", out->sent,
	    out->sent == 1 ? "reset" : "resets",
	    c->opt->write != NULL ? " written" :
	    c->opt->is_dry_run ? " shown, nothing sent" : " sent",
	    out->octets);
}

int
craft(const struct options *o)
{
	static struct craft c;
	int rc;

	c.opt = o;
	wk_ratelimit_init(&c.rate, or_else(o->rate, 0), 1);
	rc = payloads_init(&c.payloads, o);
	if (rc == WK_EXIT_OK)
		rc = parse_tcp_options(&c);
	if (rc == WK_EXIT_OK) {
		fill_segment(&c);
		rc = output_open(&c.out, o, o->dst.ip_version == 6 ?
		    INJECT_V6 : INJECT_V4);
	}
	if (rc == WK_EXIT_OK)
		rc = watch_relinquish(o);
	if (rc == WK_EXIT_OK && wk_signals_init(WK_SIGNAL_STOP) != WK_OK) {
		wk_warn_errno(errno, "signals");
		rc = WK_EXIT_SYSTEM;
	}
	if (rc == WK_EXIT_OK && options_is_injecting(o) && o->seq == UNSET &&
	    o->ack == UNSET)
		wk_caution("neither --seq nor --ack: hardly any receiver will "
		    "take SEQ 0 for its own");
	if (rc == WK_EXIT_OK) {
		rc = o->is_payload_only ? send_payloads(&c) : send_all(&c);
		/* What could not be written was not. */
		if (!o->is_payload_only && output_flush(&c.out))
			sum_up(&c);
	}
	rc = output_close(&c.out, rc);
	payloads_free(&c.payloads);
	wk_buf_free(&c.tcp_options);
	return rc == WK_EXIT_OK && wk_signals_stopped() != 0 ?
	    EXIT_INTERRUPTED : rc;
}

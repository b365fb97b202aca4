/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/datagrams.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/framing.h"
#include "common/cli/json.h"
#include "common/cli/out.h"

void
datagrams_init(struct datagrams *d, const struct options *opt)
{
	memset(d, 0, offsetof(struct datagrams, packet));
	d->opt = opt;
}

static bool
uses_capsules(const struct datagrams *d, const struct wk_stream *s)
{
	return d->opt->capsules == CAPSULES_ALWAYS ||
	    !wk_stream_has_datagram_frames(s);
}

int
datagrams_open(const struct datagrams *d, struct wk_stream *s)
{
	if (wk_stream_use_capsules(s, WK_DATAGRAM_UDP_VALUE_MAX) != WK_OK) {
		wk_warn("out of memory");
		return WK_EXIT_SYSTEM;
	}
	if (d->opt->capsules == CAPSULES_NEVER &&
	    !wk_stream_has_datagram_frames(s)) {
		wk_warn("%s takes no datagrams in frames (--capsules never)",
		    wk_http_version_text(wk_stream_version(s)));
		return WK_EXIT_REFUSED;
	}
	return WK_EXIT_OK;
}

static enum wk_stream_sent
send_capsule(struct wk_stream *s, const uint8_t *data, size_t len)
{
	const struct wk_capsule capsule = { .length = len };

	return wk_stream_send_capsule(s, &capsule, data);
}

size_t
datagrams_max(const struct datagrams *d, const struct wk_stream *s)
{
	size_t id = d->opt->has_no_context ? 0 :
	    wk_varint_shortest(d->opt->context_id);
	size_t max = wk_stream_datagram_max(s);

	if (uses_capsules(d, s) || max > WK_DATAGRAM_UDP_MAX + id)
		return WK_DATAGRAM_UDP_MAX;
	return max > id ? max - id : 0;
}

/* The first is told; all are counted. */
static enum datagrams_sent
too_big(struct datagrams *d, const struct wk_stream *s, size_t len)
{
	size_t max = datagrams_max(d, s);

	d->too_big++;
	if (d->opt->too_big == TOO_BIG_FAIL) {
		wk_warn("a datagram of %zu octets is too big, the path takes "
		    "at most %zu now", len, max);
		return DATAGRAMS_FAILED;
	}
	if (d->too_big == 1)
		wk_caution("datagrams that are too big are dropped, the first "
		    "of them with %zu octets; the path takes at most %zu now "
		    "(see --too-big)", len, max);
	return DATAGRAMS_DROPPED;
}

/* header: octets in front of the payload. */
static enum datagrams_sent
send_packet(struct datagrams *d, struct wk_stream *s, const uint8_t *packet,
    size_t len, size_t header)
{
	enum wk_stream_sent sent;

	sent = d->opt->capsules == CAPSULES_ALWAYS ?
	    send_capsule(s, packet, len) :
	    wk_stream_send_datagram(s, packet, len);
	if (sent == WK_STREAM_TOO_BIG && d->opt->too_big == TOO_BIG_CAPSULE &&
	    !uses_capsules(d, s))
		sent = send_capsule(s, packet, len);
	switch (sent) {
	case WK_STREAM_SENT:
		d->sent++;
		d->octets_sent += len - header;
		return DATAGRAMS_SENT;
	case WK_STREAM_BLOCKED:
		d->blocked++;
		return DATAGRAMS_BLOCKED;
	case WK_STREAM_TOO_BIG:
		return too_big(d, s, len - header);
	case WK_STREAM_CLOSED:
		break;
	}
	return DATAGRAMS_CLOSED;
}

enum datagrams_sent
datagrams_send(struct datagrams *d, struct wk_stream *s, uint64_t context_id,
    const uint8_t *payload, size_t len)
{
	const struct wk_datagram datagram = { .context_id = context_id };
	size_t n = 0;

	if (!d->opt->has_no_context)
		n = wk_datagram_header(d->packet, &datagram);
	if (len > 0)
		memcpy(d->packet + n, payload, len);
	return send_packet(d, s, d->packet, n + len, n);
}

enum datagrams_sent
datagrams_return(struct datagrams *d, struct wk_stream *s,
    const uint8_t *data, size_t len)
{
	d->received++;
	d->octets_received += len;
	return send_packet(d, s, data, len, 0);
}

/* What names the context of each datagram may show those of all. */
static bool
takes_any_context(const struct options *opt)
{
	return !opt->has_context && (opt->mode == MODE_INTERACTIVE ||
	    (opt->framing_out == WK_FRAMING_NDJSON && (opt->mode == MODE_TALK ||
	    (opt->mode == MODE_LISTEN && opt->serve == SERVE_EXEC))));
}

bool
datagrams_take(struct datagrams *d, struct wk_stream *s, const uint8_t *data,
    size_t len, struct wk_datagram *out)
{
	struct wk_error error;
	int rc;

	if (d->opt->has_no_context) {
		*out = (struct wk_datagram){
			.payload = data, .payload_len = len,
		};
	} else {
		rc = wk_datagram_decode(data, len, WK_DATAGRAM_UDP_MAX, out,
		    &error);
		if (rc != WK_OK) {
			d->malformed++;
			/* A frame may be dropped, a capsule not. */
			if (rc != WK_E_TRUNCATED ||
			    wk_stream_version(s) != WK_HTTP_3)
				wk_stream_reset(s, WK_STREAM_DATAGRAM,
				    error.reason);
			return false;
		}
		if (out->context_id != d->opt->context_id &&
		    !takes_any_context(d->opt)) {
			d->other_contexts++;
			return false;
		}
	}
	d->received++;
	d->octets_received += out->payload_len;
	return true;
}

const char *
datagrams_text(const struct datagrams *d, const struct wk_stream *s,
    char text[DATAGRAMS_TEXT_MAX])
{
	snprintf(text, DATAGRAMS_TEXT_MAX,
	    "%s, datagrams in %s, at most %zu octets",
	    wk_http_version_text(wk_stream_version(s)),
	    uses_capsules(d, s) ? "capsules" : "frames", datagrams_max(d, s));
	return text;
}

void
datagrams_json_open(const struct datagrams *d, const struct wk_stream *s)
{
	wk_json_begin("open");
	wk_json_str("version", wk_http_version_text(wk_stream_version(s)));
	wk_json_uint("stream_id", wk_stream_id(s));
	wk_json_bool("frames", !uses_capsules(d, s));
	wk_json_uint("max_octets", datagrams_max(d, s));
	wk_json_end();
	wk_out_flush();
}

void
datagrams_json_counts(const struct datagrams *d)
{
	wk_json_uint("sent", d->sent);
	wk_json_uint("octets_sent", d->octets_sent);
	wk_json_uint("too_big", d->too_big);
	wk_json_uint("received", d->received);
	wk_json_uint("octets_received", d->octets_received);
	wk_json_uint("other_contexts", d->other_contexts);
}

/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/target.h"

#include <string.h>
#include <sys/random.h>

#include "cmd/rstdiag-send/numbers.h"
#include "cmd/rstdiag-send/watch.h"
#include "common/base/clock.h"

/* Beyond every window, in the sequence space of 32 bits. */
#define FAR_AWAY UINT32_C(0x60000000)

void
target_init(struct target *t, const struct options *o)
{
	struct wk_segment *s = &t->addresses;

	memset(t, 0, sizeof(*t));
	t->src = &o->src;
	t->dst = &o->dst;
	s->ip_version = o->dst.ip_version;
	memcpy(s->src, o->src.address, sizeof(s->src));
	memcpy(s->dst, o->dst.address, sizeof(s->dst));
	s->src_port = o->src.port;
	s->dst_port = o->dst.port;
	if (getrandom(&t->probe_seq, sizeof(t->probe_seq), 0) < 0)
		t->probe_seq = (uint32_t)wk_clock_now_ns();
}

/* Both directions at once; ports behind unusual headers are left to us. */
void
target_filter(const struct target *t, struct wk_buf *b)
{
	bool is_v4 = t->dst->ip_version == 4;
	const char *ip = is_v4 ? "ip" : "ip6";
	char src[ADDRESS_TEXT], dst[ADDRESS_TEXT];

	wk_buf_printf(b, "%s host %s and %s host %s and "
	    "((tcp port %u and tcp port %u)%s)", ip,
	    address_text(t->src->ip_version, t->src->address, src), ip,
	    address_text(t->dst->ip_version, t->dst->address, dst),
	    t->src->port, t->dst->port,
	    is_v4 ? "" : " or " WK_WATCH_UNUSUAL_V6);
	wk_buf_uint(b, 0, 1);
}

static bool
is_end(const uint8_t *address, uint16_t port, const struct endpoint *e)
{
	return port == e->port &&
	    memcmp(address, e->address, sizeof(e->address)) == 0;
}

static bool
is_ours(const struct target *t, const struct wk_segment *s)
{
	if (s->ip_version != t->dst->ip_version)
		return false;
	return (is_end(s->src, s->src_port, t->src) &&
	    is_end(s->dst, s->dst_port, t->dst)) ||
	    (is_end(s->src, s->src_port, t->dst) &&
	    is_end(s->dst, s->dst_port, t->src));
}

/*
 * Our own probe, and what comes back when there is no such connection, have
 * numbers that are nobody's.
 */
static bool
is_about_probe(struct target *t, const struct wk_segment *s)
{
	uint16_t kind = s->flags & (WK_TCP_SYN | WK_TCP_RST | WK_TCP_ACK);

	if (t->probes == 0)
		return false;
	if (kind == WK_TCP_SYN && s->seq == t->probe_seq)
		return true;
	if (!is_end(s->src, s->src_port, t->dst) ||
	    s->ack != t->probe_seq + 1)
		return false;
	if (kind == (WK_TCP_RST | WK_TCP_ACK))
		t->answer = ANSWER_REFUSED;
	else if (kind == (WK_TCP_SYN | WK_TCP_ACK))
		t->answer = ANSWER_OPENED;
	return t->answer != ANSWER_NONE;
}

/*
 * A dead end answers further segments with a reset whose ACK bit is clear
 * (RFC 9293, section 3.10.7.1); those that we forge have it set.
 */
static bool
is_proof(const struct target *t, const struct wk_segment *s)
{
	return t->is_reset && is_end(s->src, s->src_port, t->dst) &&
	    (s->flags & (WK_TCP_RST | WK_TCP_ACK)) == WK_TCP_RST;
}

static bool
is_question(const struct target *t, const struct wk_segment *s)
{
	return t->is_asked && s->ack == t->question_ack &&
	    is_end(s->dst, s->dst_port, t->dst);
}

bool
target_takes(struct target *t, const struct wk_segment *s)
{
	if (!is_ours(t, s) || is_about_probe(t, s) || is_question(t, s))
		return false;
	if (is_proof(t, s))
		t->is_confirmed = true;
	return true;
}

void
target_probe(struct target *t, struct wk_segment *probe)
{
	numbers_probe(&t->addresses, t->probe_seq, probe);
	t->probes++;
}

void
target_question(struct target *t, const struct wk_segment *rst,
    struct wk_segment *question)
{
	numbers_probe(&t->addresses, rst->seq - 1, question);
	question->flags = WK_TCP_ACK;
	question->ack = rst->ack + FAR_AWAY;
	t->question_ack = question->ack;
	t->is_asked = true;
}

void
target_take_back(const struct target *t, struct wk_segment *rst)
{
	numbers_probe(&t->addresses, t->probe_seq + 1, rst);
	rst->flags = WK_TCP_RST;
	rst->window = 0;
}

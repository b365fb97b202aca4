/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/numbers.h"

#include <string.h>

#define TTL 64
#define PROBE_WINDOW 1024
#define FULL_SEGMENT 1460	/* of Ethernet */

static void
from_to(struct wk_segment *s, const struct wk_segment *seen, bool is_turned)
{
	memset(s, 0, sizeof(*s));
	s->ip_version = seen->ip_version;
	memcpy(s->src, is_turned ? seen->dst : seen->src, sizeof(s->src));
	memcpy(s->dst, is_turned ? seen->src : seen->dst, sizeof(s->dst));
	s->src_port = is_turned ? seen->dst_port : seen->src_port;
	s->dst_port = is_turned ? seen->src_port : seen->dst_port;
	s->ttl = TTL;
	s->has_df = true;
}

void
numbers_reset(const struct wk_segment *seen, enum numbers_victim victim,
    struct wk_segment *rst)
{
	bool has_ack = (seen->flags & WK_TCP_ACK) != 0;
	uint32_t behind = seen->seq + wk_segment_seq_len(seen);

	from_to(rst, seen, victim == NUMBERS_SOURCE);
	rst->flags = WK_TCP_RST | WK_TCP_ACK;
	if (victim == NUMBERS_SOURCE) {
		rst->seq = has_ack ? seen->ack : 0;
		rst->ack = behind;
		return;
	}
	rst->seq = behind;
	rst->ack = has_ack ? seen->ack : 0;
	if (!has_ack)
		rst->flags = WK_TCP_RST;
}

bool
numbers_has_seq(const struct wk_segment *rst)
{
	return rst->seq != 0 || (rst->flags & WK_TCP_ACK) == 0;
}

uint32_t
numbers_spray_step(const struct wk_segment *seen)
{
	uint32_t step = seen->window;

	return step < FULL_SEGMENT ? FULL_SEGMENT : step;
}

void
numbers_probe(const struct wk_segment *addresses, uint32_t seq,
    struct wk_segment *probe)
{
	from_to(probe, addresses, false);
	probe->flags = WK_TCP_SYN;
	probe->seq = seq;
	probe->window = PROBE_WINDOW;
}

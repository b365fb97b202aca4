/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/probe.h"

#include <string.h>

#include "common/base/span.h"

#define MAGIC UINT32_C(0x68336467)	/* "h3dg" */

static uint8_t *
put(uint8_t *out, uint64_t v, size_t octets)
{
	size_t i;

	for (i = octets; i > 0; i--, v >>= 8)
		out[i - 1] = (uint8_t)v;
	return out + octets;
}

void
probe_encode(uint8_t *out, size_t size, const struct probe *p)
{
	uint8_t *at = out;

	at = put(at, MAGIC, 4);
	at = put(at, p->run, 4);
	at = put(at, p->sequence, 8);
	at = put(at, p->sent_ns, 8);
	memset(at, '.', size - (size_t)(at - out));
}

bool
probe_decode(const uint8_t *data, size_t len, struct probe *p)
{
	struct wk_span s;

	wk_span_init(&s, data, len);
	if (wk_span_u32(&s) != MAGIC)
		return false;
	p->run = wk_span_u32(&s);
	p->sequence = wk_span_u64(&s);
	p->sent_ns = wk_span_u64(&s);
	return wk_span_is_ok(&s);
}

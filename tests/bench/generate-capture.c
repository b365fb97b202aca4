/* SPDX-License-Identifier: MIT */
/*
 * A capture for measuring: Ethernet, IPv4 and IPv6 in turn, full-sized and
 * small TCP segments of many connections, every hundredth a reset with a
 * diagnostic payload. The same numbers give the same file.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/wire/segment.h"

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void
little(uint8_t *out, uint32_t v)
{
	out[0] = (uint8_t)v;
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)(v >> 16);
	out[3] = (uint8_t)(v >> 24);
}

static void
put(const void *data, size_t len)
{
	if (fwrite(data, 1, len, stdout) != len) {
		perror("standard output");
		exit(4);
	}
}

int
main(int argc, char **argv)
{
	static const uint8_t file_header[] = {
		0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 4, 0, 1, 0, 0, 0,
	};
	static const uint8_t body[1400];
	static const size_t sizes[] = { 0, 0, 100, 1400 };
	unsigned long packets = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	uint8_t diagnostic[8] = { 0x33, 0xaa }, record[16];
	uint8_t ethernet[14] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	struct wk_segment s;
	struct wk_buf b;
	uint32_t state = 1;
	unsigned long i;

	wk_buf_init(&b, 2000);
	put(file_header, sizeof(file_header));
	for (i = 0; i < packets; i++) {
		memset(&s, 0, sizeof(s));
		s.ip_version = i % 4 == 3 ? 6 : 4;
		s.src[0] = s.dst[0] = s.ip_version == 4 ? 192 : 0x20;
		s.src[3] = (uint8_t)next_random(&state);
		s.dst[3] = (uint8_t)next_random(&state);
		s.src_port = 443;
		s.dst_port = (uint16_t)(1024 + next_random(&state) % 60000);
		s.seq = next_random(&state);
		s.ack = next_random(&state);
		s.ttl = 64;
		s.window = 500;
		s.has_df = true;
		if (i % 100 == 50) {
			s.flags = WK_TCP_RST | WK_TCP_ACK;
			diagnostic[3] =
			    (uint8_t)(1 + next_random(&state) % 19);
			s.payload = diagnostic;
			s.payload_len = sizeof(diagnostic);
		} else {
			s.flags = WK_TCP_ACK;
			s.payload = body;
			s.payload_len = sizes[next_random(&state) % 4];
		}
		wk_buf_clear(&b);
		if (wk_segment_build(&s, &b) != WK_OK)
			return 1;
		ethernet[12] = s.ip_version == 4 ? 0x08 : 0x86;
		ethernet[13] = s.ip_version == 4 ? 0x00 : 0xdd;
		little(record, (uint32_t)(1772366400 + i / 100000));
		little(record + 4, (uint32_t)(i % 100000 * 10));
		little(record + 8, (uint32_t)(b.len + sizeof(ethernet)));
		little(record + 12, (uint32_t)(b.len + sizeof(ethernet)));
		put(record, sizeof(record));
		put(ethernet, sizeof(ethernet));
		put(b.data, b.len);
	}
	wk_buf_free(&b);
	return fflush(stdout) == 0 ? 0 : 4;
}

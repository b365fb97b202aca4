/* SPDX-License-Identifier: MIT */
/*
 * Input: how long ids of short headers are, and a packet. What was read of a
 * long header is written again, octet for octet; what a list of versions says
 * comes back out of one that we write.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/quicpkt.h"

#define CHECK(claim) do { if (!(claim)) abort(); } while (0)
#define MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_versions(const struct wk_quicpkt *p)
{
	uint32_t versions[MAX], again[MAX];
	struct wk_quicpkt answer;
	struct wk_buf b;
	int n = wk_quicpkt_versions(p, versions, MAX, NULL);

	if (n < 0 || n > MAX)
		return;
	CHECK((size_t)n * 4 == p->rest_len);
	wk_buf_init(&b, 4096);
	CHECK(wk_quicpkt_encode_versions(&b, p->first, p, versions,
	    (size_t)n) == WK_OK);
	CHECK(wk_quicpkt_decode(b.data, b.len, 0, &answer, NULL) == WK_OK);
	CHECK(answer.first == p->first);
	CHECK(answer.dcid_len == p->scid_len && answer.scid_len == p->dcid_len);
	CHECK(wk_quicpkt_versions(&answer, again, MAX, NULL) == n);
	CHECK(memcmp(versions, again, (size_t)n * 4) == 0);
	wk_buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[WK_QUICPKT_NAME_MAX];
	struct wk_quicpkt p;
	struct wk_error error;
	struct wk_buf b;

	if (size < 1)
		return 0;
	if (wk_quicpkt_decode(data + 1, size - 1, data[0], &p, &error) !=
	    WK_OK) {
		CHECK(error.status == WK_E_TRUNCATED &&
		    error.offset <= size - 1);
		return 0;
	}
	CHECK(p.rest + p.rest_len == data + size);
	if (!p.is_long) {
		CHECK(p.dcid_len == data[0] && p.scid == NULL);
		return 0;
	}
	CHECK(*wk_quicpkt_version_text(p.version, text) != '\0');
	wk_buf_init(&b, 1024);
	CHECK(wk_quicpkt_encode_long(&b, p.first, p.version, p.dcid,
	    p.dcid_len, p.scid, p.scid_len) == WK_OK);
	CHECK(b.len + p.rest_len == size - 1 &&
	    memcmp(b.data, data + 1, b.len) == 0);
	wk_buf_free(&b);
	check_versions(&p);
	return 0;
}

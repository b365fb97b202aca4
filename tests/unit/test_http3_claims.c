/* SPDX-License-Identifier: MIT */
/* Streams that are no requests, for parts that claim them. */
#include "config.h"

#include "tests/unit/http3_peer.h"

#include "common/base/text.h"
#include "common/net/http3_parts.h"

#define BOTH "08013301"

static struct wk_buf heard;
static bool consumes;

static void
on_data(struct http3 *h, uint64_t id, const uint8_t *data, size_t len,
    bool is_last)
{
	wk_buf_printf(&heard, "%d:", (int)id);
	wk_hex_append(&heard, data, len);
	if (is_last)
		wk_buf_printf(&heard, ".");
	wk_buf_printf(&heard, " ");
	if (consumes)
		h->transport->ops->consume(h->transport, id, len);
}

static void
on_reset(struct http3 *h, uint64_t id, uint64_t code)
{
	(void)h;
	wk_buf_printf(&heard, "%d:reset %x ", (int)id, (unsigned)code);
}

static void
on_stopped(struct http3 *h, uint64_t id, uint64_t code)
{
	(void)h;
	wk_buf_printf(&heard, "%d:stop %x ", (int)id, (unsigned)code);
}

static void
on_gone(struct http3 *h, uint64_t id)
{
	(void)h;
	wk_buf_printf(&heard, "%d:gone ", (int)id);
}

static const struct http3_claim claims[] = {
	{ WK_H3STREAM_WEBTRANSPORT, true, on_data, on_reset, NULL, NULL },
	{ WK_H3FRAME_WEBTRANSPORT, false, on_data, on_reset, on_stopped,
	    on_gone },
};

static struct peer *
claiming(bool is_server)
{
	struct peer *p = peer_greeted(is_server, NULL, BOTH);
	struct http3 *h = (struct http3 *)(void *)p->session;

	assert_int_equal(http3_claim(h, &claims[0]), WK_OK);
	assert_int_equal(http3_claim(h, &claims[1]), WK_OK);
	wk_buf_init(&heard, 10000);
	consumes = true;
	return p;
}

static void
expect(const char *want)
{
	wk_buf_append(&heard, "", 1);
	assert_string_equal((const char *)heard.data, want);
	wk_buf_clear(&heard);
}

/* The number of the session, then what follows; all of it is the part's. */
static void
test_claimed(void **state)
{
	const struct fake_stream *s;
	struct peer *p;
	uint64_t id, uni;
	int who;

	(void)state;
	for (who = 0; who < 2; who++) {
		p = claiming(who);
		uni = peer_open(p, true, "4054 00616263");
		expect(who ? "6:00616263 " : "7:00616263 ");
		id = peer_open(p, false, "4041 4004 6162");
		expect(who ? "0:4004 0:6162 " : "1:4004 1:6162 ");
		s = fake_stream(&p->ours, id);
		assert_int_equal(s->n_consumed, s->n_received);
		consumes = false;
		peer_hex(p, id, "000000", false);
		peer_hex(p, id, "0100", false);
		expect(who ? "0:000000 0:0100 " : "1:000000 1:0100 ");
		assert_int_equal(s->n_consumed, s->n_received - 5);
		peer_hex(p, uni, "ff", true);
		expect(who ? "6:ff. " : "7:ff. ");
		peer_stop(p, id, 0x99);
		peer_reset(p, id, 0x98);
		expect(who ? "0:stop 99 0:reset 98 0:gone " :
		    "1:stop 99 1:reset 98 1:gone ");
		/* Nothing of this is HTTP's. */
		peer_expect(p, "");
		peer_expect_close(p, 0);
		peer_del(p);
		wk_buf_free(&heard);
	}
}

/* Those that the parts do not want are nobody's, as ever. */
static void
test_others(void **state)
{
	struct peer *p = claiming(false);
	uint64_t id;

	(void)state;
	id = peer_open(p, false, "0100");
	peer_expect_heard(p, id, "STOP(103) RESET(103)");
	id = peer_open(p, true, "404000");
	peer_expect_heard(p, id, "STOP(103)");
	peer_expect_close(p, 0);
	peer_del(p);
	p = claiming(true);
	peer_head(p, peer_open(p, false, NULL),
	    ":method: GET\n:scheme: https\n:path: /\n:authority: a\n", true);
	peer_expect(p, "request GET a /; end");
	peer_del(p);
	wk_buf_free(&heard);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claimed),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests_name("http3_claims", tests, NULL, NULL);
}

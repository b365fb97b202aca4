/* SPDX-License-Identifier: MIT */
/* Sessions: both ends over a socket pair. */
#include "config.h"

#include "tls_pair.h"

static void
test_conversation(void **state)
{
	struct wk_tls_credentials *c = careless_client();
	struct wk_tls_credentials *s = server_credentials();
	struct wk_error error;
	struct pair p;
	char data[64];

	(void)state;
	pair_connect(&p, c, s);
	assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data), &error),
	    WK_TLS_WANTS_READ);
	assert_int_equal(wk_tls_write(p.end[0], "hello", 5, &error), 5);
	assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data), &error), 5);
	assert_memory_equal(data, "hello", 5);
	assert_int_equal(wk_tls_write(p.end[1], "you", 3, &error), 3);
	assert_int_equal(wk_tls_read(p.end[0], data, sizeof(data), &error), 3);
	assert_memory_equal(data, "you", 3);
	assert_int_equal(wk_tls_bye(p.end[0], &error), WK_OK);
	assert_int_equal(wk_tls_read(p.end[1], data, sizeof(data), &error), 0);
	pair_close(&p);
	wk_tls_credentials_del(c);
	wk_tls_credentials_del(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

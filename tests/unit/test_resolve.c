/* SPDX-License-Identifier: MIT */
/* Names looked up beside the loop; worth running under ThreadSanitizer. */
#include "config.h"

#include "tests/unit/unit.h"
#include "tests/unit/resolver.h"

static struct wk_loop *loop;

struct outcome {
	unsigned n;
	int status;
	bool is_final;
	char reason[128], addresses[2048];
	size_t n_addresses;
};

static int
setup(void **state)
{
	(void)state;
	resolver_reset();
	loop = wk_loop_new();
	return loop == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	resolver_release();
	wk_loop_del(loop);
	return 0;
}

static void
on_done(void *arg, const struct wk_resolve_result *result)
{
	struct outcome *o = arg;
	char text[WK_ADDRESS_TEXT_MAX];
	size_t i, len;

	o->n++;
	o->status = result->status;
	o->is_final = result->is_final;
	o->n_addresses = result->n_addresses;
	snprintf(o->reason, sizeof(o->reason), "%s",
	    result->reason == NULL ? "" : result->reason);
	for (i = 0; i < result->n_addresses; i++) {
		len = strlen(o->addresses);
		snprintf(o->addresses + len, sizeof(o->addresses) - len, "%s ",
		    wk_address_text(&result->addresses[i], text));
	}
}

static struct outcome
resolve(const char *host, int family)
{
	struct outcome o;

	memset(&o, 0, sizeof(o));
	assert_non_null(wk_resolve_start(loop, host, 80, family, on_done, &o));
	assert_int_equal(o.n, 0);	/* never before start returns */
	wk_loop_run(loop);
	assert_int_equal(o.n, 1);
	return o;
}

static void
test_without_a_thread(void **state)
{
	static const struct {
		const char *host;
		int family;
		const char *want;
	} cases[] = {
		{ "192.0.2.1", AF_UNSPEC, "192.0.2.1:80 " },
		{ "2001:db8::1", AF_UNSPEC, "[2001:db8::1]:80 " },
		{ "fe80::1%lo", AF_INET6, "[fe80::1%lo]:80 " },
		{ "localhost", AF_UNSPEC, "[::1]:80 127.0.0.1:80 " },
		{ "LocalHost.", AF_INET, "127.0.0.1:80 " },
		{ "a.b.localhost", AF_INET6, "[::1]:80 " },
	};
	struct outcome o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		o = resolve(cases[i].host, cases[i].family);
		assert_int_equal(o.status, WK_OK);
		assert_string_equal(o.addresses, cases[i].want);
	}
	o = resolve("192.0.2.1", AF_INET6);
	assert_int_equal(o.status, WK_E_SYSTEM);
	assert_true(o.is_final);
	assert_string_equal(o.reason, gai_strerror(EAI_ADDRFAMILY));
	assert_int_equal(resolver_count(), 0);
}

static void
test_names_only_like_localhost(void **state)
{
	static const char *const names[] = {
		"notlocalhost", "localhost.example", "ocalhost", "", ".",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(resolve(names[i], AF_INET).status, WK_E_SYSTEM);
	assert_int_equal(resolver_count(), i);
}

static void
test_answers(void **state)
{
	struct outcome o;

	(void)state;
	resolver_add((struct answer){ "two", AF_UNSPEC, 0,
	    "2001:db8::1 192.0.2.1 ", false });
	resolver_add((struct answer){ "gone", AF_INET, EAI_NONAME, "", false });
	resolver_add((struct answer){ "late", AF_INET, EAI_AGAIN, "", false });
	resolver_add((struct answer){ "ill", AF_INET, EAI_SYSTEM, "", false });
	resolver_add((struct answer){ "none", AF_INET, 0, "", false });

	o = resolve("two", AF_UNSPEC);
	assert_int_equal(o.status, WK_OK);
	assert_string_equal(o.addresses, "[2001:db8::1]:80 192.0.2.1:80 ");
	o = resolve("gone", AF_INET);
	assert_true(o.status == WK_E_SYSTEM && o.is_final);
	assert_string_equal(o.reason, gai_strerror(EAI_NONAME));
	o = resolve("late", AF_INET);
	assert_true(o.status == WK_E_SYSTEM && !o.is_final);
	assert_string_equal(o.reason, gai_strerror(EAI_AGAIN));
	o = resolve("ill", AF_INET);
	assert_true(o.status == WK_E_SYSTEM && !o.is_final);
	assert_string_equal(o.reason, strerror(EMFILE));
	o = resolve("none", AF_INET);
	assert_true(o.status == WK_E_SYSTEM && o.is_final);
	assert_string_equal(o.reason, gai_strerror(EAI_NODATA));
}

static void
test_no_more_than_the_limit(void **state)
{
	char many[(WK_RESOLVE_MAX + 1) * 12];
	struct outcome o;
	int i;

	(void)state;
	for (i = 0, many[0] = '\0'; i <= WK_RESOLVE_MAX; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
		    "10.0.0.%d ", i);
	resolver_add((struct answer){ "many", AF_INET, 0, many, false });
	o = resolve("many", AF_INET);
	assert_int_equal(o.n_addresses, WK_RESOLVE_MAX);
	assert_non_null(strstr(o.addresses, "10.0.0.31:80 "));
	assert_null(strstr(o.addresses, "10.0.0.32:80 "));
}

static void
test_cancelled_while_asking(void **state)
{
	struct outcome o = { .n = 0 };
	struct wk_resolve *r;

	(void)state;
	resolver_add((struct answer){ "held", AF_INET, 0, "10.0.0.1 ", true });
	r = wk_resolve_start(loop, "held", 80, AF_INET, on_done, &o);
	assert_non_null(r);
	resolver_wait_asked(1);
	wk_resolve_cancel(r);
	wk_loop_run(loop);	/* nothing is left to wait for */
	resolver_release();
	wk_loop_run(loop);
	assert_int_equal(o.n, 0);
}

static void
test_cancelled_at_any_moment(void **state)
{
	struct outcome o = { .n = 0 };
	struct wk_resolve *r;
	int i, spin;

	(void)state;
	resolver_add((struct answer){ "name", AF_INET, 0, "10.0.0.1 ", false });
	for (i = 0; i < 200; i++) {
		r = wk_resolve_start(loop, "name", 80, AF_INET, on_done, &o);
		if (r == NULL) {	/* too many threads still end */
			assert_int_equal(errno, EAGAIN);
			continue;
		}
		for (spin = 0; spin < i * 20; spin++)
			atomic_signal_fence(memory_order_seq_cst);
		wk_resolve_cancel(r);
	}
	r = wk_resolve_start(loop, "10.0.0.1", 80, AF_INET, on_done, &o);
	assert_non_null(r);
	wk_resolve_cancel(r);
	wk_loop_run(loop);
	assert_int_equal(o.n, 0);
}

static void
test_as_many_as_threads(void **state)
{
	struct outcome o = { .n = 0 };
	const struct timespec pause = { .tv_nsec = 1000000 };
	unsigned started, tries = 0;

	(void)state;
	resolver_add((struct answer){ "held", AF_INET, 0, "10.0.0.1 ", true });
	/* Threads of earlier tests may be about to end, all of them. */
	while (wk_resolve_start(loop, "held", 80, AF_INET, on_done, &o) ==
	    NULL) {
		assert_int_equal(errno, EAGAIN);
		assert_in_range(++tries, 1, 20000);
		nanosleep(&pause, NULL);
	}
	for (started = 1; started < 1000; started++) {
		errno = 0;
		if (wk_resolve_start(loop, "held", 80, AF_INET, on_done,
		    &o) == NULL)
			break;
	}
	assert_int_equal(errno, EAGAIN);
	assert_in_range(started, 1, 128);
	resolver_wait_asked(started);
	assert_int_equal(o.n, 0);
	resolver_release();
	wk_loop_run(loop);
	assert_int_equal(o.n, started);
}

#define RESOLVE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RESOLVE_TEST(test_without_a_thread),
		RESOLVE_TEST(test_names_only_like_localhost),
		RESOLVE_TEST(test_answers),
		RESOLVE_TEST(test_no_more_than_the_limit),
		RESOLVE_TEST(test_cancelled_while_asking),
		RESOLVE_TEST(test_cancelled_at_any_moment),
		RESOLVE_TEST(test_as_many_as_threads),
	};

	alarm(120);	/* an answer that never comes fails */
	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}

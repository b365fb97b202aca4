/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/unit.h"

#include <sys/socket.h>

#include "cmd/mcproxy/block.h"

static size_t
slices(const struct chain *c)
{
	const struct slice *l;
	size_t n = 0;

	for (l = c->head; l != NULL; l = l->next)
		n++;
	return n;
}

static void
assert_text(const struct chain *c, const char *want)
{
	char got[8192];
	const struct slice *l;
	size_t n = 0;

	for (l = c->head; l != NULL; l = l->next) {
		memcpy(got + n, l->at, l->len);
		n += l->len;
	}
	got[n] = '\0';
	assert_int_equal(c->bytes, n);
	assert_string_equal(got, want);
}

static void
test_small_copies_grow_together(void **state)
{
	struct store s = { .n_free = 0 };
	struct chain a = { .head = NULL }, b = { .head = NULL };

	(void)state;
	assert_true(chain_copy(&s, &a, NULL, "get ", 4));
	assert_true(chain_copy(&s, &a, NULL, "x\r\n", 3));
	assert_int_equal(slices(&a), 1);
	assert_true(chain_copy(&s, &b, NULL, "other", 5));
	assert_true(chain_copy(&s, &a, NULL, "!", 1));
	assert_int_equal(slices(&a), 2);
	assert_text(&a, "get x\r\n!");
	assert_text(&b, "other");
	chain_clear(&s, &a);
	chain_clear(&s, &b);
	store_free(&s);
	assert_int_equal(s.bytes, 0);
}

static void
test_a_block_is_filled_again_only_when_nobody_refers_to_it(void **state)
{
	struct store s = { .n_free = 0 };
	struct chain c = { .head = NULL };
	struct block *first, *second;

	(void)state;
	first = store_read_block(&s, 100);
	memcpy(first->data, "abc", 3);
	first->used = (uint32_t)BLOCK_SIZE - 50;
	assert_true(chain_share(&s, &c, first, first->data, 3));
	second = store_read_block(&s, 100);
	assert_ptr_not_equal(first, second);
	assert_text(&c, "abc");
	assert_int_equal(s.bytes, 2 * BLOCK_SIZE);
	chain_clear(&s, &c);
	assert_int_equal(s.bytes, BLOCK_SIZE);
	second->used = (uint32_t)BLOCK_SIZE;
	assert_ptr_equal(store_read_block(&s, 100), second);
	assert_int_equal(second->used, 0);
	store_free(&s);
}

/* A value that dribbles in must not hold a whole block for each octet. */
static void
test_gathering_slowly_costs_what_came(void **state)
{
	struct store s = { .n_free = 0 };
	struct chain c = { .head = NULL };
	struct block *b;
	char want[1001];
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		b = store_read_block(&s, 1);
		b->data[b->used] = (char)('a' + i % 26);
		want[i] = (char)('a' + i % 26);
		b->used++;
		assert_true(chain_gather(&s, &c, b, b->data + b->used - 1, 1,
		    1000 - i - 1));
	}
	want[1000] = '\0';
	assert_text(&c, want);
	assert_int_equal(slices(&c), 1);
	assert_true(s.bytes <= BLOCK_SIZE + 1000);
	/* What was only announced takes little. */
	chain_clear(&s, &c);
	b = store_read_block(&s, 1);
	b->used++;
	assert_true(chain_gather(&s, &c, b, b->data, 1, 1 << 30));
	assert_true(s.bytes <= BLOCK_SIZE + 2 * CHAIN_COPY_MAX + 1);
	chain_clear(&s, &c);
	store_free(&s);
}

static void
test_appending_shares_what_is_long(void **state)
{
	struct store s = { .n_free = 0 };
	struct chain from = { .head = NULL }, to = { .head = NULL };
	struct block *b = store_read_block(&s, 5000), *own = NULL;

	(void)state;
	memset(b->data, 'x', 5000);
	b->used = 5000;
	assert_true(chain_share(&s, &from, b, b->data, 10));
	assert_true(chain_share(&s, &from, b, b->data + 20, 4000));
	assert_true(chain_append(&s, &to, &own, &from));
	assert_int_equal(to.bytes, 4010);
	assert_ptr_not_equal(to.head->at, b->data);
	assert_ptr_equal(to.head->next->at, b->data + 20);
	chain_clear(&s, &from);
	chain_clear(&s, &to);
	block_unref(&s, own);
	store_free(&s);
	assert_int_equal(s.bytes, 0);
}

static void
test_writing_stops_where_the_socket_is_full(void **state)
{
	struct store s = { .n_free = 0 };
	struct chain c = { .head = NULL };
	struct block *b;
	uint64_t written = 0, read_back = 0;
	int fds[2], rc, small = 4096;
	char in[65536];
	ssize_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	while (c.bytes < 1000000) {
		b = store_read_block(&s, 30000);
		memset(b->data + b->used, 'v', 30000);
		assert_true(chain_share(&s, &c, b, b->data + b->used, 30000));
		b->used += 30000;
	}
	assert_int_equal(chain_write(&s, &c, fds[0], &written), 1);
	assert_true(written > 0 && c.bytes > 0);
	do {
		while ((n = read(fds[1], in, sizeof(in))) > 0)
			read_back += (uint64_t)n;
		rc = chain_write(&s, &c, fds[0], &written);
	} while (rc == 1);
	assert_int_equal(rc, 0);
	while ((n = read(fds[1], in, sizeof(in))) > 0)
		read_back += (uint64_t)n;
	assert_int_equal(read_back, written);
	assert_int_equal(c.bytes, 0);
	close(fds[1]);
	assert_true(chain_copy(&s, &c, NULL, "x", 1));
	assert_int_equal(chain_write(&s, &c, fds[0], &written), -1);
	chain_clear(&s, &c);
	close(fds[0]);
	store_free(&s);
	assert_int_equal(s.bytes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_copies_grow_together),
		cmocka_unit_test(
		    test_a_block_is_filled_again_only_when_nobody_refers_to_it),
		cmocka_unit_test(test_gathering_slowly_costs_what_came),
		cmocka_unit_test(test_appending_shares_what_is_long),
		cmocka_unit_test(test_writing_stops_where_the_socket_is_full),
	};

	return cmocka_run_group_tests_name("mcproxy block", tests, NULL, NULL);
}

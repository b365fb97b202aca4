/* SPDX-License-Identifier: MIT */
/* Happy Eyeballs (RFC 8305) by an invented clock. */
#include "config.h"

#include "tests/unit/unit.h"

#include "common/net/eyeballs.h"

/*
 * A script of words, at the time of the last "@ms":
 *   6:ab  the AAAA answer is a, b      4:cd  the A answer is c, d
 *   x3    attempt 3 fails
 * After each word everything due is started, and a deadline that lies before
 * the next "@ms" is kept. The transcript has "a@0" for an attempt at a time,
 * and in the end "waits" or "over".
 */
static const struct {
	const char *name, *script, *want;
} cases[] = {
	{ "nothing yet", "@0", "waits" },
	{ "AAAA first: no patience needed", "@10 6:a @90 4:b @1000",
	  "a@10 b@260 waits" },
	{ "A first: 50 ms for AAAA", "@10 4:ab @20 6:cd @5000",
	  "c@20 a@270 d@520 b@770 waits" },
	{ "A first and AAAA in the last moment", "@10 4:a @59 6:b @5000",
	  "b@59 a@309 waits" },
	{ "A first and AAAA too late, but it takes its turn",
	  "@10 4:ab @70 6:cd @5000", "a@60 c@310 b@560 d@810 waits" },
	{ "A first and AAAA never", "@10 4:ab @5000", "a@60 b@310 waits" },
	{ "A first and no AAAA: no patience", "@10 4:a @20 6: @5000",
	  "a@20 waits" },
	{ "no A", "@0 4: @30 6:a @5000", "a@30 waits" },
	{ "the longer family goes on alone", "@0 6:abc 4:d @5000",
	  "a@0 d@250 b@500 c@750 waits" },
	{ "a failure brings the next forward", "@0 6:a 4:b @5 x1 @5000",
	  "a@0 b@5 waits" },
	{ "delays count from the latest attempt",
	  "@0 6:ab 4:cd @5 x1 @5000", "a@0 c@5 b@255 d@505 waits" },
	{ "only the latest brings the next forward",
	  "@0 6:ab 4:cd @300 x1 @5000", "a@0 c@250 b@500 d@750 waits" },
	{ "all fail", "@0 6:a 4:b @5 x1 @6 x2 @7", "a@0 b@5 over" },
	{ "all fail, an answer is awaited", "@0 6:a @5 x1 @6", "a@0 waits" },
	{ "the late answer is tried at once", "@0 6:a @5 x1 @100 4:b @101",
	  "a@0 b@100 waits" },
	{ "the late answer is none", "@0 6:a @5 x1 @100 4:", "a@0 over" },
	{ "no address at all", "@0 6: 4:", "over" },
};

static void
make_address(struct wk_address *address, char name)
{
	wk_address_from_ip(address, wk_str_of("10.0.0.1"), (uint16_t)name);
}

struct player {
	struct wk_eyeballs e;
	uint64_t now_ms;
	char got[256];
};

static void
start_due(struct player *p)
{
	const struct wk_address *address;
	size_t len;

	while ((address = wk_eyeballs_next(&p->e, p->now_ms * 1000000)) != NULL) {
		len = strlen(p->got);
		snprintf(p->got + len, sizeof(p->got) - len, "%c@%u ",
		    wk_address_port(address), (unsigned)p->now_ms);
	}
}

static void
go_to(struct player *p, uint64_t until_ms)
{
	uint64_t deadline;

	while ((deadline = wk_eyeballs_deadline(&p->e)) <= until_ms * 1000000) {
		if (p->now_ms < deadline / 1000000)
			p->now_ms = deadline / 1000000;
		start_due(p);
	}
	p->now_ms = until_ms;
}

static void
play(struct player *p, const char *word)
{
	struct wk_address addresses[8];
	size_t n;

	if (word[0] == '@') {
		go_to(p, strtoull(word + 1, NULL, 10));
	} else if (word[0] == 'x') {
		wk_eyeballs_failed(&p->e, (unsigned)atoi(word + 1),
		    p->now_ms * 1000000);
	} else {
		for (n = 0; word[2 + n] != '\0'; n++)
			make_address(&addresses[n], word[2 + n]);
		wk_eyeballs_answer(&p->e, word[0] == '6' ?
		    WK_EYEBALLS_FIRST : WK_EYEBALLS_SECOND, addresses, n,
		    p->now_ms * 1000000);
	}
	/* Answers of one moment come together. */
	if (word[0] != '4' && word[0] != '6')
		start_due(p);
}

static void
test_scripts(void **state)
{
	char script[128], *word, *rest;
	struct player p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&p, 0, sizeof(p));
		wk_eyeballs_init(&p.e, true, true);
		strcpy(script, cases[i].script);
		for (word = strtok_r(script, " ", &rest); word != NULL;
		    word = strtok_r(NULL, " ", &rest))
			play(&p, word);
		strcat(p.got, wk_eyeballs_is_over(&p.e) ? "over" : "waits");
		if (strcmp(p.got, cases[i].want) != 0)
			fail_msg("%s: %s, not %s", cases[i].name, p.got,
			    cases[i].want);
	}
}

static void
test_one_family(void **state)
{
	struct wk_address many[WK_RESOLVE_MAX + 1];
	struct wk_eyeballs e;
	size_t i;

	(void)state;
	for (i = 0; i <= WK_RESOLVE_MAX; i++)
		make_address(&many[i], (char)(1 + i));
	wk_eyeballs_init(&e, false, true);
	assert_false(wk_eyeballs_is_over(&e));
	/* Nobody to wait for; and not more than there is room for. */
	wk_eyeballs_answer(&e, WK_EYEBALLS_SECOND, many, WK_RESOLVE_MAX + 1, 7);
	for (i = 0; i < WK_RESOLVE_MAX; i++) {
		assert_non_null(wk_eyeballs_next(&e, 7));
		wk_eyeballs_failed(&e, e.started, 7);
	}
	assert_null(wk_eyeballs_next(&e, WK_NEVER - 1));
	assert_true(wk_eyeballs_is_over(&e));
	wk_eyeballs_init(&e, false, false);
	assert_true(wk_eyeballs_is_over(&e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_one_family),
	};

	return cmocka_run_group_tests_name("eyeballs", tests, NULL, NULL);
}

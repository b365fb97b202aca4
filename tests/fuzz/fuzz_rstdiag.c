/* SPDX-License-Identifier: MIT */
/*
 * The first octet chooses the formats to ask for, the second how many octets
 * of the rest were not captured.
 */
#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/wire/rstdiag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool is_true)
{
	if (!is_true)
		abort();
}

static bool
is_inside(const uint8_t *p, size_t len, const uint8_t *area, size_t size)
{
	return p >= area && p <= area + size &&
	    len <= size - (size_t)(p - area);
}

static void
check_error(const struct wk_error *e, int rc)
{
	const char *p;

	must(rc <= WK_OK && (int)e->status == rc);
	must((e->reason[0] != '\0') == (rc != WK_OK));
	for (p = e->reason; *p != '\0'; p++)
		must(*p >= ' ' && *p <= '~');
}

static void
check(const struct wk_rstdiag *d, int rc, const uint8_t *data, size_t len,
    size_t captured)
{
	check_error(&d->error, rc);
	must(rc == WK_OK || d->error.offset <= len);
	must(d->format < WK_RSTDIAG_N_FORMATS);
	must(!d->is_truncated || (rc == WK_OK && captured < len));
	must(!d->is_valid || (rc == WK_OK && d->is_diagnostic &&
	    !d->is_truncated));
	must(rc == WK_OK || d->is_diagnostic || len > WK_RSTDIAG_MAX);
	must(d->has_code ? d->code > 0 : d->code == 0);
	must(d->has_pen || d->pen == 0);
	must(d->warnings < 1u << WK_RSTDIAG_N_WARNINGS);
	if (d->description == NULL) {
		must(d->description_len == 0);
		return;
	}
	must(is_inside(d->description, d->description_len, data, captured) ||
	    is_inside(d->description, d->description_len, d->scratch,
	    sizeof(d->scratch)));
	must(wk_utf8_is_valid(d->description, d->description_len));
}

static bool
is_same(const struct wk_rstdiag *a, const struct wk_rstdiag *b)
{
	return a->format == b->format && a->is_valid == b->is_valid &&
	    a->has_code == b->has_code && a->code == b->code &&
	    a->has_pen == b->has_pen && a->pen == b->pen &&
	    (a->description == NULL) == (b->description == NULL) &&
	    a->description_len == b->description_len &&
	    (a->description_len == 0 || memcmp(a->description,
	    b->description, a->description_len) == 0);
}

static void
check_again(const struct wk_rstdiag *d, const uint8_t *data, size_t len)
{
	struct wk_rstdiag again;
	struct wk_error e = { .status = WK_OK };
	struct wk_buf out;
	int rc;

	wk_buf_init(&out, WK_RSTDIAG_MAX);
	rc = wk_rstdiag_encode(d, &out, &e);
	check_error(&e, rc);
	if (d->has_pen && !d->has_code) {	/* read, but never written */
		must(rc == WK_E_INVALID);
	} else if (rc != WK_E_LIMIT) {	/* names or a code may be added */
		must(rc == WK_OK);
		rc = wk_rstdiag_decode(out.data, out.len, out.len,
		    WK_RSTDIAG_ASK(d->format), &again);
		check(&again, rc, out.data, out.len, out.len);
		must(is_same(d, &again));
		if (d->format == WK_RSTDIAG_COMPACT ||
		    d->format == WK_RSTDIAG_FREE_TEXT ||
		    d->format == WK_RSTDIAG_LINUX_EXP)
			must(out.len == len &&
			    memcmp(out.data, data, len) == 0);
	} else {
		must(len > WK_RSTDIAG_MAX / 6);
	}
	wk_buf_free(&out);
}

/* What a cut capture is called must hold for the whole, if it is an error. */
static void
check_cut(const struct wk_rstdiag *cut, const uint8_t *data, size_t len,
    unsigned ask)
{
	struct wk_rstdiag whole;
	int rc = wk_rstdiag_decode(data, len, len, ask, &whole);

	check(&whole, rc, data, len, len);
	must(!whole.is_truncated);
	if (cut->error.status != WK_OK && cut->format == WK_RSTDIAG_JSON)
		must(!whole.is_valid);	/* more may not even be JSON */
	else if (cut->error.status != WK_OK)
		must(rc == (int)cut->error.status &&
		    whole.error.offset == cut->error.offset &&
		    strcmp(whole.error.reason, cut->error.reason) == 0);
	if (cut->is_valid)
		must(whole.is_valid && is_same(cut, &whole));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum wk_rstdiag_format asked[] = {
		WK_RSTDIAG_CBOR_MAP, WK_RSTDIAG_B13, WK_RSTDIAG_B14,
		WK_RSTDIAG_JSON,
	};
	struct wk_rstdiag d;
	size_t len, captured, i;
	uint8_t *exact;
	unsigned ask = 0;
	int rc;

	if (size < 2)
		return 0;
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (data[0] & 1u << i)
			ask |= WK_RSTDIAG_ASK(asked[i]);
	len = size - 2;
	captured = data[1] < len ? len - data[1] : 0;

	/* Of just the captured size, so that reading on is noticed. */
	exact = malloc(captured > 0 ? captured : 1);
	if (exact == NULL)
		return 0;
	memcpy(exact, data + 2, captured);
	rc = wk_rstdiag_decode(exact, len, captured, ask, &d);
	check(&d, rc, exact, len, captured);
	if (captured < len)
		check_cut(&d, data + 2, len, ask);
	else if (d.is_valid || d.format == WK_RSTDIAG_TEXT ||
	    d.format == WK_RSTDIAG_LINUX_EXP)
		check_again(&d, exact, len);
	free(exact);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/rstdiag-send/payload.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/wire/rstdiag.h"

#define TEXT_ADVISED 255	/* octets; -04, section 6 */

/* What a format can carry beside the other; compact and Linux codes alone. */
static const struct {
	enum wk_rstdiag_format format;
	bool has_code, has_description;
} carries[] = {
	{ WK_RSTDIAG_COMPACT, true, false },
	{ WK_RSTDIAG_FREE_TEXT, false, true },
	{ WK_RSTDIAG_CBOR_SEQ, true, true },
	{ WK_RSTDIAG_CBOR_ARRAY, true, true },
	{ WK_RSTDIAG_CBOR_MAP, true, true },
	{ WK_RSTDIAG_B13, true, true },
	{ WK_RSTDIAG_B14, true, true },
	{ WK_RSTDIAG_JSON, true, true },
	{ WK_RSTDIAG_LINUX_EXP, true, false },
	{ WK_RSTDIAG_TEXT, false, true },
};
#define N_CARRIES (sizeof(carries) / sizeof(carries[0]))

/* WK_E_INVALID names the formats that could carry what this one cannot. */
static int
check_format(int format, bool has_code, bool has_description,
    struct wk_error *error)
{
	char names[128] = "";
	bool misses_code = false, misses_description = false;
	size_t i, len;

	for (i = 0; i < N_CARRIES; i++)
		if ((int)carries[i].format == format) {
			misses_code = has_code && !carries[i].has_code;
			misses_description = has_description &&
			    !carries[i].has_description;
		}
	if (!misses_code && !misses_description)
		return WK_OK;
	for (i = 0; i < N_CARRIES; i++)
		if ((!has_code || carries[i].has_code) &&
		    (!has_description || carries[i].has_description)) {
			len = strlen(names);
			snprintf(names + len, sizeof(names) - len, "%s%s",
			    len > 0 ? ", " : "",
			    wk_rstdiag_format_name((int)carries[i].format));
		}
	return wk_error_set(error, WK_E_INVALID, 0,
	    "the format %s carries no %s; %s %s", wk_rstdiag_format_name(format),
	    misses_code ? "code" : "description", has_code && has_description ?
	    "these carry both:" : "these do:", names);
}

/* Names are looked up in a table that readers of the format do not use. */
static bool
is_foreign_table(const struct options *o, bool is_by_name)
{
	enum wk_rstdiag_registry tables[2];
	size_t n, i;

	if (!is_by_name || o->registry_choice >= 0)
		return false;
	n = wk_rstdiag_candidates((enum wk_rstdiag_format)o->format, tables);
	for (i = 0; i < n; i++)
		if ((int)tables[i] == o->registry)
			return false;
	return n > 0;
}

static const char *
remark_on(const struct options *o, const struct wk_rstdiag *d,
    bool is_by_name, size_t len)
{
	const struct wk_rstdiag_reason *reason;

	if (d->has_code && (!d->has_pen || d->pen == 0) &&
	    o->role == ROLE_MIDDLEBOX) {
		reason = wk_rstdiag_reason(
		    (enum wk_rstdiag_registry)o->registry, d->code);
		if (reason == NULL || !reason->is_on_path)
			return "this code is for endpoints, not for "
			    "middleboxes";
	}
	if (is_foreign_table(o, is_by_name))
		return "readers of this format number the reasons "
		    "differently; see --registry";
	if (len > TEXT_ADVISED)
		return "payload of more than 255 octets; receivers may "
		    "refuse it";
	return NULL;
}

static int
encode(const struct options *o, const struct wk_rstdiag *d, bool is_by_name,
    struct wk_buf *b, const char **remark, struct wk_error *error)
{
	int rc = check_format(o->format, d->has_code, d->description != NULL,
	    error);

	if (rc == WK_OK)
		rc = wk_rstdiag_encode(d, b, error);
	if (rc == WK_OK)
		*remark = remark_on(o, d, is_by_name, b->len);
	return rc;
}

/* The array is that of the first announcement, whose keys were names. */
static unsigned
key_names(const struct options *o)
{
	return o->format == WK_RSTDIAG_CBOR_ARRAY ? WK_RSTDIAG_W_TEXT_KEYS : 0;
}

int
payload_of_rule(const struct options *o, const struct rule *r,
    struct wk_buf *b, const char **remark, struct wk_error *error)
{
	const struct wk_rstdiag d = {
		.format = (enum wk_rstdiag_format)o->format,
		.warnings = key_names(o),
		.has_code = r->has_code, .code = r->code,
		.has_pen = r->has_pen, .pen = r->pen,
		.description = r->description,
		.description_len = r->description_len,
	};

	return encode(o, &d, r->is_by_name, b, remark, error);
}

/* One --code, or none when code is NULL; rc is an exit code. */
static int
add_code(struct payloads *p, const struct options *o, const char *code)
{
	struct wk_rstdiag d = {
		.format = (enum wk_rstdiag_format)o->format,
		.warnings = key_names(o),
		.has_pen = o->pen != UNSET,
		.pen = o->pen == UNSET ? 0 : (uint32_t)o->pen,
		.description = (const uint8_t *)o->description,
		.description_len = o->description == NULL ? 0 :
		    strlen(o->description),
	};
	bool is_by_name = code != NULL && (*code < '0' || *code > '9');
	const char *remark;
	struct wk_error error;

	if (is_by_name && d.has_pen && d.pen != 0) {
		wk_warn("--code %s: names are of the public table, a code of "
		    "--pen %u is a number", code, (unsigned)d.pen);
		return WK_EXIT_USAGE;
	}
	if (code != NULL) {
		d.has_code = true;
		if (wk_rstdiag_code_parse((enum wk_rstdiag_registry)o->registry,
		    code, &d.code, &error) != WK_OK) {
			wk_warn("--code %s: %s (--list-codes shows them)",
			    code, error.reason);
			return WK_EXIT_USAGE;
		}
	}
	if (encode(o, &d, is_by_name, &p->octets[p->n], &remark, &error) !=
	    WK_OK) {
		wk_warn("%s%s: %s", code != NULL ? "--code " : "--description",
		    code != NULL ? code : "", error.reason);
		return WK_EXIT_USAGE;
	}
	p->n++;
	if (remark != NULL)
		wk_caution("%s%s: %s", code != NULL ? "--code " :
		    "--description", code != NULL ? code : "", remark);
	return WK_EXIT_OK;
}

static int
add_hex(struct payloads *p, const char *hex)
{
	struct wk_error error;

	if (wk_hex_parse(&p->octets[p->n++], hex, strlen(hex), &error) ==
	    WK_OK)
		return WK_EXIT_OK;
	wk_warn("--payload-hex: character %llu: %s",
	    (unsigned long long)error.offset + 1, error.reason);
	return WK_EXIT_USAGE;
}

int
payloads_init(struct payloads *p, const struct options *o)
{
	size_t i;
	int rc = WK_EXIT_OK;

	p->n = 0;
	for (i = 0; i < OPTIONS_CODES_MAX; i++)
		wk_buf_init(&p->octets[i], WK_RSTDIAG_MAX);
	if (o->payload_hex != NULL)
		return add_hex(p, o->payload_hex);
	for (i = 0; i < o->n_codes && rc == WK_EXIT_OK; i++)
		rc = add_code(p, o, o->codes[i]);
	if (o->n_codes == 0 && o->description != NULL)
		rc = add_code(p, o, NULL);
	else if (o->n_codes == 0)
		p->n = 1;	/* an ordinary reset */
	return rc;
}

void
payloads_free(struct payloads *p)
{
	size_t i;

	for (i = 0; i < OPTIONS_CODES_MAX; i++)
		wk_buf_free(&p->octets[i]);
	p->n = 0;
}

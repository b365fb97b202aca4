/* SPDX-License-Identifier: MIT */
/* The record field by field: JSON and --fields from one table. */
#include "config.h"

#include "common/cli/rstline_parts.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/cli/json.h"

/* The kernel's or the first table's name of the code, or NULL. */
static const char *
code_name(const struct wk_rst_style *style, const struct wk_rstdiag *d)
{
	enum wk_rstdiag_registry tables[2];
	const struct wk_rstdiag_reason *reason;

	if (d->has_code && d->format == WK_RSTDIAG_LINUX_EXP)
		return wk_linux_rst_reason(d->code);
	if (wk_rst_readings(style, d, tables) == 0)
		return NULL;
	reason = wk_rstdiag_reason(tables[0], d->code);
	return reason == NULL ? NULL : reason->text;
}

enum value_kind {
	VALUE_NONE,
	VALUE_TEXT,
	VALUE_UINT,
	VALUE_BOOL,
	VALUE_HEX,
	VALUE_LIST,
};

#define LIST_MAX 8

struct value {
	enum value_kind kind;
	uint64_t number;
	const void *data;
	size_t len;
	const char *list[LIST_MAX];	/* len of them */
	char text[64];			/* storage for VALUE_TEXT */
	char longer[128];		/* the same, where 64 do not do */
};

struct context {
	const struct wk_rst_style *style;
	const struct wk_rst_record *r;
	const struct wk_segment *s;
	const struct wk_rstdiag *d;
};

static void
set_uint(struct value *v, uint64_t number)
{
	v->kind = VALUE_UINT;
	v->number = number;
}

static void
set_bool(struct value *v, bool number)
{
	v->kind = VALUE_BOOL;
	v->number = number;
}

static void
set_text(struct value *v, const char *text)
{
	if (text == NULL)
		return;
	v->kind = VALUE_TEXT;
	v->data = text;
	v->len = strlen(text);
}

static void
set_octets(struct value *v, enum value_kind kind, const void *data, size_t len)
{
	v->kind = kind;
	v->data = data;
	v->len = len;
}

#define FIELD(name) \
	static void \
	field_##name(const struct context *c, struct value *v)

FIELD(ts)
{
	set_text(v, wk_time_text(c->r->wall_ns, c->style->digits, v->text));
}

FIELD(ipver)
{
	set_uint(v, c->s->ip_version);
}

FIELD(src)
{
	set_text(v, wk_rst_address_text(c->s->ip_version, c->s->src, v->text));
}

FIELD(sport)
{
	set_uint(v, c->s->src_port);
}

FIELD(dst)
{
	set_text(v, wk_rst_address_text(c->s->ip_version, c->s->dst, v->text));
}

FIELD(dport)
{
	set_uint(v, c->s->dst_port);
}

FIELD(flags)
{
	set_text(v, wk_tcp_flags_text(c->s->flags, v->text));
}

FIELD(seq)
{
	set_uint(v, c->s->seq);
}

FIELD(ack)
{
	if ((c->s->flags & WK_TCP_ACK) != 0)
		set_uint(v, c->s->ack);
}

FIELD(win)
{
	set_uint(v, c->s->window);
}

FIELD(ttl)
{
	set_uint(v, c->s->ttl);
}

FIELD(ipid)
{
	if (c->s->ip_version == 4)
		set_uint(v, c->s->ip_id);
}

FIELD(df)
{
	if (c->s->ip_version == 4)
		set_bool(v, c->s->has_df);
}

FIELD(vlan)
{
	if (c->s->n_vlans > 0)
		set_uint(v, c->s->vlan[0]);
}

FIELD(fragment)
{
	if (c->s->is_fragment)
		set_bool(v, true);
}

FIELD(len)
{
	set_uint(v, c->s->payload_len);
}

FIELD(cksum_ok)
{
	if (c->s->tcp_checksum != WK_CHECKSUM_UNKNOWN)
		set_bool(v, c->s->tcp_checksum == WK_CHECKSUM_GOOD);
}

FIELD(truncated)
{
	set_bool(v, c->d->is_truncated ||
	    c->s->captured_len < c->s->payload_len);
}

FIELD(format)
{
	set_text(v, wk_rstdiag_format_name((int)c->d->format));
}

FIELD(valid)
{
	if (c->d->is_diagnostic && !(c->d->is_truncated && !c->d->is_valid &&
	    c->d->error.status == WK_OK))
		set_bool(v, c->d->is_valid);
}

FIELD(error)
{
	if (c->d->error.status != WK_OK)
		set_text(v, c->d->error.reason);
}

FIELD(code)
{
	if (c->d->has_code)
		set_uint(v, c->d->code);
}

FIELD(code_name)
{
	set_text(v, code_name(c->style, c->d));
}

FIELD(registry)
{
	enum wk_rstdiag_registry tables[2];

	if (wk_rst_readings(c->style, c->d, tables) > 0)
		set_text(v, wk_rstdiag_registry_name((int)tables[0]));
}

FIELD(other_reading)
{
	enum wk_rstdiag_registry tables[2];

	if (wk_rst_readings(c->style, c->d, tables) < 2)
		return;
	snprintf(v->longer, sizeof(v->longer), "%s (%s)",
	    wk_rst_reading_text(tables[1], c->d->code),
	    wk_rstdiag_registry_name((int)tables[1]));
	set_text(v, v->longer);
}

FIELD(pen)
{
	if (c->d->has_pen)
		set_uint(v, c->d->pen);
}

FIELD(description)
{
	if (c->d->description != NULL)
		set_octets(v, VALUE_TEXT, c->d->description,
		    c->d->description_len);
}

FIELD(warnings)
{
	unsigned bit;

	for (bit = 0; bit < WK_RSTDIAG_N_WARNINGS && v->len < LIST_MAX; bit++)
		if ((c->d->warnings & 1u << bit) != 0) {
			v->kind = VALUE_LIST;
			v->list[v->len++] = wk_rstdiag_warning_text(1u << bit);
		}
}

FIELD(mptcp_reason)
{
	unsigned reason;

	if (wk_rst_mptcp_reason(c->s, &reason))
		set_uint(v, reason);
}

FIELD(mptcp_reason_name)
{
	unsigned reason;

	if (wk_rst_mptcp_reason(c->s, &reason))
		set_text(v, wk_rst_mptcp_text(reason));
}

FIELD(netscaler_code)
{
	if (wk_rst_has_netscaler_window(c->s))
		set_uint(v, c->s->window);
}

FIELD(suspicious)
{
	size_t i;

	for (i = 0; i < c->r->n_notes && i < LIST_MAX; i++) {
		v->kind = VALUE_LIST;
		v->list[v->len++] = c->r->notes[i];
	}
}

FIELD(raw_hex)
{
	set_octets(v, VALUE_HEX, c->s->payload, c->s->captured_len);
}

/* The order is the order in JSON; new ones are added at the end of a group. */
static const struct {
	const char *name;
	void (*value)(const struct context *, struct value *);
} fields[] = {
	{ "ts", field_ts },
	{ "ipver", field_ipver },
	{ "src", field_src },
	{ "sport", field_sport },
	{ "dst", field_dst },
	{ "dport", field_dport },
	{ "flags", field_flags },
	{ "seq", field_seq },
	{ "ack", field_ack },
	{ "win", field_win },
	{ "ttl", field_ttl },
	{ "ipid", field_ipid },
	{ "df", field_df },
	{ "vlan", field_vlan },
	{ "fragment", field_fragment },
	{ "len", field_len },
	{ "cksum_ok", field_cksum_ok },
	{ "truncated", field_truncated },
	{ "format", field_format },
	{ "valid", field_valid },
	{ "error", field_error },
	{ "code", field_code },
	{ "code_name", field_code_name },
	{ "registry", field_registry },
	{ "other_reading", field_other_reading },
	{ "pen", field_pen },
	{ "description", field_description },
	{ "warnings", field_warnings },
	{ "mptcp_reason", field_mptcp_reason },
	{ "mptcp_reason_name", field_mptcp_reason_name },
	{ "netscaler_code", field_netscaler_code },
	{ "suspicious", field_suspicious },
	{ "raw_hex", field_raw_hex },
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))
_Static_assert(N_FIELDS <= WK_RST_FIELDS_MAX, "fields do not fit");

static struct context
context_of(const struct wk_rst_style *style, const struct wk_rst_record *r)
{
	struct context c = { style, r, r->segment, r->diag };

	return c;
}

static void
value_of(const struct context *c, size_t i, struct value *v)
{
	v->kind = VALUE_NONE;
	v->len = 0;
	fields[i].value(c, v);
}

void
wk_rst_write_json(const struct wk_rst_style *style,
    const struct wk_rst_record *r)
{
	struct context c = context_of(style, r);
	struct value v;
	size_t i, k;

	wk_json_begin(r->is_sent ? "sent" : "rst");
	for (i = 0; i < N_FIELDS; i++) {
		value_of(&c, i, &v);
		switch (v.kind) {
		case VALUE_NONE:
			break;
		case VALUE_TEXT:
			wk_json_strn(fields[i].name, v.data, v.len);
			break;
		case VALUE_UINT:
			wk_json_uint(fields[i].name, v.number);
			break;
		case VALUE_BOOL:
			wk_json_bool(fields[i].name, v.number != 0);
			break;
		case VALUE_HEX:
			wk_json_hex(fields[i].name, v.data, v.len);
			break;
		case VALUE_LIST:
			wk_json_array(fields[i].name);
			for (k = 0; k < v.len; k++)
				wk_json_str(NULL, v.list[k]);
			wk_json_array_end();
			break;
		}
	}
	wk_json_end();
}

int
wk_rst_fields_parse(const char *names, struct wk_rst_fields *chosen,
    struct wk_error *error)
{
	size_t len, i;

	chosen->n = 0;
	for (;; names += len + 1) {
		len = strcspn(names, ",");
		for (i = 0; i < N_FIELDS; i++)
			if (strlen(fields[i].name) == len &&
			    memcmp(fields[i].name, names, len) == 0)
				break;
		if (i == N_FIELDS)
			return wk_error_set(error, WK_E_INVALID, 0,
			    "no field \"%.*s\"", (int)(len < 40 ? len : 40),
			    names);
		if (chosen->n == WK_RST_FIELDS_MAX)
			return wk_error_set(error, WK_E_INVALID, 0,
			    "more than %d fields", WK_RST_FIELDS_MAX);
		chosen->field[chosen->n++] = (uint8_t)i;
		if (names[len] == '\0')
			return WK_OK;
	}
}

void
wk_rst_write_fields(const struct wk_rst_style *style,
    const struct wk_rst_fields *chosen, const struct wk_rst_record *r)
{
	struct context c = context_of(style, r);
	struct wk_buf *line = wk_rst_line_start();
	struct value v;
	size_t i, k;

	for (i = 0; i < chosen->n; i++) {
		if (i > 0)
			wk_buf_append(line, "\t", 1);
		value_of(&c, chosen->field[i], &v);
		switch (v.kind) {
		case VALUE_NONE:
			break;
		case VALUE_TEXT:
			wk_text_escape(line, v.data, v.len, 0);
			break;
		case VALUE_UINT:
			wk_buf_printf(line, "%" PRIu64, v.number);
			break;
		case VALUE_BOOL:
			wk_buf_printf(line, "%s", v.number ? "true" : "false");
			break;
		case VALUE_HEX:
			wk_hex_append(line, v.data, v.len);
			break;
		case VALUE_LIST:
			for (k = 0; k < v.len; k++)
				wk_buf_printf(line, "%s%s", k > 0 ? "; " : "",
				    v.list[k]);
			break;
		}
	}
	wk_rst_line_end(line);
}

/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/rstline.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/cli/diag.h"
#include "common/cli/json.h"
#include "common/cli/out.h"

#define LINE_MAX_OCTETS (1 << 20)
#define HEX_SHOWN 32		/* octets of an unknown payload in the line */
#define TEXT_SHOWN 256		/* octets of a description in the line */

/* The option a Multipath TCP reset carries (RFC 8684, section 3.6). */
#define MPTCP_KIND 30
#define MPTCP_SUBTYPE_TCPRST 8

/* Citrix NetScaler puts a reset code where the window belongs. */
#define NETSCALER_FIRST 8196
#define NETSCALER_LAST 10042

static const char *
address_text(uint8_t ip_version, const uint8_t *address,
    char out[INET6_ADDRSTRLEN])
{
	if (inet_ntop(ip_version == 4 ? AF_INET : AF_INET6, address, out,
	    INET6_ADDRSTRLEN) == NULL)
		snprintf(out, INET6_ADDRSTRLEN, "?");
	return out;
}

const char *
wk_endpoint_text(uint8_t ip_version, const uint8_t *address, uint16_t port,
    char out[WK_ENDPOINT_TEXT])
{
	char text[INET6_ADDRSTRLEN];

	snprintf(out, WK_ENDPOINT_TEXT, "%s.%u",
	    address_text(ip_version, address, text), port);
	return out;
}

/* --- what a record means -------------------------------------------------- */

/* The tables that could explain the code, most likely first. */
static size_t
readings(const struct wk_rst_style *style, const struct wk_rstdiag *d,
    enum wk_rstdiag_registry out[2])
{
	if (!d->has_code || d->format == WK_RSTDIAG_LINUX_EXP ||
	    (d->has_pen && d->pen != 0))
		return 0;
	if (style->registry < 0)
		return wk_rstdiag_candidates(d->format, out);
	out[0] = (enum wk_rstdiag_registry)style->registry;
	return 1;
}

static const char *
reading_text(enum wk_rstdiag_registry registry, uint16_t code)
{
	const struct wk_rstdiag_reason *reason =
	    wk_rstdiag_reason(registry, code);

	return reason == NULL ? "unknown" : reason->text;
}

/* The kernel's or the first table's name of the code, or NULL. */
static const char *
code_name(const struct wk_rst_style *style, const struct wk_rstdiag *d)
{
	enum wk_rstdiag_registry tables[2];
	const struct wk_rstdiag_reason *reason;

	if (d->has_code && d->format == WK_RSTDIAG_LINUX_EXP)
		return wk_linux_rst_reason(d->code);
	if (readings(style, d, tables) == 0)
		return NULL;
	reason = wk_rstdiag_reason(tables[0], d->code);
	return reason == NULL ? NULL : reason->text;
}

static bool
mptcp_reason(const struct wk_segment *s, unsigned *reason)
{
	size_t offset = 0, len;
	const uint8_t *data;
	uint8_t kind;
	bool is_bad;

	while (wk_segment_next_option(s, &offset, &kind, &data, &len, &is_bad))
		if (kind == MPTCP_KIND && len >= 2 &&
		    data[0] >> 4 == MPTCP_SUBTYPE_TCPRST) {
			*reason = data[1];
			return true;
		}
	return false;
}

static bool
has_netscaler_window(const struct wk_segment *s)
{
	return s->payload_len == 0 && s->window >= NETSCALER_FIRST &&
	    s->window <= NETSCALER_LAST;
}

static const char *
mptcp_text(unsigned reason)
{
	const char *text = wk_mptcp_rst_reason(reason);

	return text == NULL ? "unknown" : text;
}

/* --- fields: one table for JSON and for --fields -------------------------- */

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
	set_text(v, address_text(c->s->ip_version, c->s->src, v->text));
}

FIELD(sport)
{
	set_uint(v, c->s->src_port);
}

FIELD(dst)
{
	set_text(v, address_text(c->s->ip_version, c->s->dst, v->text));
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

	if (readings(c->style, c->d, tables) > 0)
		set_text(v, wk_rstdiag_registry_name((int)tables[0]));
}

FIELD(other_reading)
{
	enum wk_rstdiag_registry tables[2];

	if (readings(c->style, c->d, tables) < 2)
		return;
	snprintf(v->longer, sizeof(v->longer), "%s (%s)",
	    reading_text(tables[1], c->d->code),
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

	if (mptcp_reason(c->s, &reason))
		set_uint(v, reason);
}

FIELD(mptcp_reason_name)
{
	unsigned reason;

	if (mptcp_reason(c->s, &reason))
		set_text(v, mptcp_text(reason));
}

FIELD(netscaler_code)
{
	if (has_netscaler_window(c->s))
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

/* The one line buffer of this room: cleared, never freed, never grows twice. */
static struct wk_buf *
line_start(void)
{
	static struct wk_buf line;

	if (line.max == 0)
		wk_buf_init(&line, LINE_MAX_OCTETS);
	wk_buf_clear(&line);
	return &line;
}

static void
line_end(struct wk_buf *line)
{
	wk_buf_append(line, "\n", 1);
	wk_out_write(line->data, line->len);
}

void
wk_rst_write_fields(const struct wk_rst_style *style,
    const struct wk_rst_fields *chosen, const struct wk_rst_record *r)
{
	struct context c = context_of(style, r);
	struct wk_buf *line = line_start();
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
	line_end(line);
}

/* --- the text line -------------------------------------------------------- */

static void
append_seconds(struct wk_buf *line, uint64_t ns, int digits)
{
	uint64_t fraction = ns % WK_NS_PER_SEC;

	wk_buf_printf(line, "%" PRIu64 ".%0*" PRIu64 " ", ns / WK_NS_PER_SEC,
	    digits, digits == 9 ? fraction : fraction / 1000);
}

/* Local time, as TZ says; the zone is looked up once a second at most. */
static void
append_clock(struct wk_buf *line, uint64_t ns, int digits, bool with_date)
{
	static time_t known = -1;
	static struct tm tm;
	time_t seconds = (time_t)(ns / WK_NS_PER_SEC);
	uint64_t fraction = ns % WK_NS_PER_SEC;

	if (seconds != known) {
		localtime_r(&seconds, &tm);
		known = seconds;
	}
	if (with_date)
		wk_buf_printf(line, "%04d-%02d-%02d ", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday);
	wk_buf_printf(line, "%02d:%02d:%02d.%0*" PRIu64 " ", tm.tm_hour,
	    tm.tm_min, tm.tm_sec, digits,
	    digits == 9 ? fraction : fraction / 1000);
}

static void
append_time(struct wk_buf *line, struct wk_rst_style *style, uint64_t ns)
{
	uint64_t since;

	if (style->first_ns == 0)
		style->first_ns = style->previous_ns = ns;
	since = style->time == WK_TIME_DELTA ? style->previous_ns :
	    style->first_ns;
	style->previous_ns = ns;
	switch ((enum wk_time_style)style->time) {
	case WK_TIME_NONE:
		break;
	case WK_TIME_EPOCH:
		append_seconds(line, ns, style->digits);
		break;
	case WK_TIME_DELTA:
	case WK_TIME_SINCE_FIRST:
		/* Captures may hold frames out of order. */
		append_seconds(line, ns < since ? 0 : ns - since,
		    style->digits);
		break;
	case WK_TIME_CLOCK:
	case WK_TIME_DATE:
		append_clock(line, ns, style->digits,
		    style->time == WK_TIME_DATE);
		break;
	}
}

void
wk_rst_write_time(struct wk_rst_style *style, uint64_t wall_ns)
{
	struct wk_buf *line = line_start();

	append_time(line, style, wall_ns);
	wk_out_write(line->data, line->len);
}

static void
append_headers(struct wk_buf *line, const struct wk_segment *s,
    unsigned detail)
{
	char src[WK_ENDPOINT_TEXT], dst[WK_ENDPOINT_TEXT];
	char flags[WK_TCP_FLAGS_TEXT];

	wk_buf_printf(line, "%s %s > %s: [%s] seq %" PRIu32,
	    s->ip_version == 6 ? "IP6" : "IP",
	    wk_endpoint_text(s->ip_version, s->src, s->src_port, src),
	    wk_endpoint_text(s->ip_version, s->dst, s->dst_port, dst),
	    wk_tcp_flags_text(s->flags, flags), s->seq);
	if ((s->flags & WK_TCP_ACK) != 0)
		wk_buf_printf(line, " ack %" PRIu32, s->ack);
	wk_buf_printf(line, " ttl %u", s->ttl);
	if (detail > 0) {
		if (s->n_vlans > 0)
			wk_buf_printf(line, " vlan %u", s->vlan[0]);
		if (s->ip_version == 4)
			wk_buf_printf(line, " id %" PRIu32 "%s", s->ip_id,
			    s->has_df ? " df" : "");
		wk_buf_printf(line, " win %u", s->window);
		if (s->tcp_checksum != WK_CHECKSUM_UNKNOWN)
			wk_buf_printf(line, " cksum %s", s->tcp_checksum ==
			    WK_CHECKSUM_GOOD ? "ok" : "incorrect");
	}
	if (s->is_fragment)
		wk_buf_printf(line, " first fragment");
	wk_buf_printf(line, " len %zu", s->payload_len);
}

static void
append_quoted(struct wk_buf *line, const uint8_t *text, size_t len)
{
	size_t shown = len < TEXT_SHOWN ? len : TEXT_SHOWN;

	wk_buf_append(line, " \"", 2);
	wk_text_escape(line, text, shown, '"');
	wk_buf_printf(line, shown < len ? "\"..." : "\"");
}

static void
append_code(struct wk_buf *line, const struct wk_rst_style *style,
    const struct wk_rstdiag *d)
{
	enum wk_rstdiag_registry tables[2];
	size_t n = readings(style, d, tables), i;
	const char *name;

	/* A compact code has one likely table; the other is for those who ask. */
	if (d->format == WK_RSTDIAG_COMPACT && style->detail == 0 && n > 1)
		n = 1;
	wk_buf_printf(line, " code %u", d->code);
	if (d->format == WK_RSTDIAG_LINUX_EXP) {
		name = wk_linux_rst_reason(d->code);
		wk_buf_printf(line, " (%s)", name == NULL ? "unknown" : name);
	}
	for (i = 0; i < n; i++)
		wk_buf_printf(line, "%s%s, %s%s", i == 0 ? " (" : "; ",
		    reading_text(tables[i], d->code),
		    wk_rstdiag_registry_name((int)tables[i]),
		    i + 1 == n ? ")" : "");
	if (d->has_pen)
		wk_buf_printf(line, " pen %" PRIu32 "%s", d->pen,
		    d->pen != 0 ? " (vendor code)" : "");
}

static void
append_colored(struct wk_buf *line, const struct wk_rst_style *style,
    const char *color, const char *text)
{
	wk_buf_printf(line, "%s%s%s", style->is_colored ? color : "", text,
	    style->is_colored ? "\033[m" : "");
}

static void
append_payload(struct wk_buf *line, const struct wk_rst_style *style,
    const struct wk_rst_record *r)
{
	const struct wk_rstdiag *d = r->diag;
	const struct wk_segment *s = r->segment;
	char address[INET6_ADDRSTRLEN];
	size_t shown = style->detail > 1 || s->captured_len < HEX_SHOWN ?
	    s->captured_len : HEX_SHOWN;
	unsigned bit;

	if (d->format == WK_RSTDIAG_NONE)
		return;
	wk_buf_printf(line, " %s claims %s",
	    address_text(s->ip_version, s->src, address),
	    d->is_diagnostic ? "rst-diag " : "");
	append_colored(line, style, "\033[1m",
	    wk_rstdiag_format_name((int)d->format));
	if (d->has_code)
		append_code(line, style, d);
	if (d->description != NULL)
		append_quoted(line, d->description, d->description_len);
	if (d->error.status != WK_OK) {
		append_colored(line, style, "\033[31m", " (malformed: ");
		append_colored(line, style, "\033[31m", d->error.reason);
		append_colored(line, style, "\033[31m", ")");
	}
	if (d->is_truncated || s->captured_len < s->payload_len)
		wk_buf_printf(line, " [truncated]");
	for (bit = 0; bit < WK_RSTDIAG_N_WARNINGS; bit++)
		if ((d->warnings & 1u << bit) != 0)
			wk_buf_printf(line, " (warning: %s)",
			    wk_rstdiag_warning_text(1u << bit));
	if (d->format == WK_RSTDIAG_UNKNOWN || d->error.status != WK_OK ||
	    style->detail > 1) {
		wk_buf_printf(line, " hex ");
		wk_hex_append(line, s->payload, shown);
		if (shown < s->captured_len)
			wk_buf_printf(line, "...");
	}
}

static void
append_foreign(struct wk_buf *line, const struct wk_segment *s)
{
	unsigned reason;

	if (mptcp_reason(s, &reason))
		wk_buf_printf(line, " mptcp-reset reason %u (%s)", reason,
		    mptcp_text(reason));
	if (has_netscaler_window(s))
		wk_buf_printf(line, " win %u (NetScaler reset code range)",
		    s->window);
}

void
wk_rst_write_text(struct wk_rst_style *style, const struct wk_rst_record *r)
{
	struct wk_buf *line = line_start();
	size_t i;

	append_time(line, style, r->wall_ns);
	append_headers(line, r->segment, style->detail);
	append_payload(line, style, r);
	append_foreign(line, r->segment);
	for (i = 0; i < r->n_notes; i++) {
		append_colored(line, style, "\033[33m",
		    i == 0 ? " suspicious: " : "; ");
		append_colored(line, style, "\033[33m", r->notes[i]);
	}
	line_end(line);
}

void
wk_rst_write_codes(enum wk_rstdiag_registry registry)
{
	const struct wk_rstdiag_reason *reason;
	size_t n, i;

	reason = wk_rstdiag_reasons(registry, &n);
	for (i = 0; i < n; i++, reason++) {
		if (!wk_cli.is_json) {
			wk_out_printf("%u %s %s%s%s%s%s\n", reason->code,
			    reason->name, reason->text,
			    *reason->section != '\0' ? " (" : "",
			    reason->section,
			    *reason->section != '\0' ? ")" : "",
			    reason->is_on_path ? " [on-path]" : "");
			continue;
		}
		wk_json_begin("code");
		wk_json_str("registry", wk_rstdiag_registry_name((int)registry));
		wk_json_uint("code", reason->code);
		wk_json_str("name", reason->name);
		wk_json_str("text", reason->text);
		wk_json_str("section", reason->section);
		wk_json_bool("on_path", reason->is_on_path);
		wk_json_end();
	}
}

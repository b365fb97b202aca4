/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire/message.h"

#include "common/wire/chars.h"
#include "common/wire/http1.h"
#include "common/wire/sfv.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

bool
wk_message_is_request(const struct wk_message *m)
{
	return m->method.len > 0;
}

bool
wk_message_is_tunnel_request(const struct wk_message *m)
{
	return wk_str_is(m->method, "CONNECT") && m->protocol.len > 0;
}

const struct wk_field *
wk_message_find(const struct wk_message *m, const char *name,
    const struct wk_field *after)
{
	size_t i = after == NULL ? 0 : (size_t)(after - m->fields) + 1;

	for (; i < m->n_fields; i++)
		if (wk_str_is(m->fields[i].name, name))
			return &m->fields[i];
	return NULL;
}

size_t
wk_message_lines(const struct wk_message *m, const char *name,
    struct wk_str *lines, size_t max)
{
	const struct wk_field *field = NULL;
	size_t n = 0;

	while ((field = wk_message_find(m, name, field)) != NULL) {
		if (n < max)
			lines[n] = field->value;
		n++;
	}
	return n;
}

static int
invalid(struct wk_error *error, size_t at, const char *reason)
{
	return wk_error_set(error, WK_E_INVALID, at, "%s", reason);
}

static bool
is_token(struct wk_str s)
{
	return s.len > 0 && wk_char_span(s.at, s.len, WK_CHAR_TOKEN) == s.len;
}

bool
wk_message_is_protocol(struct wk_str s)
{
	const char *slash = s.len > 0 ? memchr(s.at, '/', s.len) : NULL;
	struct wk_str name = s, version;

	if (slash == NULL)
		return is_token(s);
	name.len = (size_t)(slash - s.at);
	version.at = slash + 1;
	version.len = s.len - name.len - 1;
	return is_token(name) && is_token(version);
}

static bool
is_scheme(struct wk_str s)
{
	size_t i;

	if (s.len == 0 || !wk_char_is(s.at[0], WK_CHAR_ALPHA))
		return false;
	for (i = 1; i < s.len; i++)
		if (!wk_char_is(s.at[i], WK_CHAR_ALPHA | WK_CHAR_DIGIT) &&
		    memchr("+-.", s.at[i], 3) == NULL)
			return false;
	return true;
}

/* CONNECT without a protocol: only where to (RFC 9113, section 8.5). */
static int
check_connect(const struct wk_message *m, struct wk_error *error)
{
	struct wk_http1_target target;

	if (m->scheme.len > 0 || m->path.len > 0)
		return invalid(error, 0, "CONNECT has neither scheme nor path");
	if (wk_http1_target_parse(m->method, m->authority, &target, NULL) !=
	    WK_OK)
		return invalid(error, 0, "expected host and port for CONNECT");
	return WK_OK;
}

static int
check_request(const struct wk_message *m, struct wk_error *error)
{
	struct wk_http1_authority authority;
	struct wk_http1_target target;
	struct wk_str method = m->method;
	bool is_http;

	if (!is_token(m->method))
		return invalid(error, 0, "not a method");
	if (m->status != 0)
		return invalid(error, 0, "a request has no status");
	if (wk_str_is(m->method, "CONNECT")) {
		if (m->protocol.len == 0)
			return check_connect(m, error);
		/* Its path is one as in other requests. */
		method = wk_str_of("GET");
	}
	if (m->protocol.len > 0 && !wk_message_is_tunnel_request(m))
		return invalid(error, 0, "only CONNECT has a protocol");
	if (m->protocol.len > 0 && !wk_message_is_protocol(m->protocol))
		return invalid(error, 0, "not a protocol");
	if (!is_scheme(m->scheme))
		return invalid(error, 0, "not a scheme");
	is_http = wk_str_is_nocase(m->scheme, "http") ||
	    wk_str_is_nocase(m->scheme, "https");
	if (wk_http1_authority_parse(m->authority, &authority, NULL) != WK_OK ||
	    (is_http && authority.host.len == 0))
		return invalid(error, 0, "not an authority");
	if (wk_http1_target_parse(method, m->path, &target, NULL) != WK_OK ||
	    target.form == WK_HTTP1_ABSOLUTE)
		return invalid(error, 0, "not a path");
	return WK_OK;
}

static int
check_response(const struct wk_message *m, struct wk_error *error)
{
	if (m->status < 100 || m->status > 999)
		return invalid(error, 0, "not a status code");
	if (m->status == 101)
		return invalid(error, 0, "status 101 is HTTP/1.1's alone");
	if (m->scheme.len + m->authority.len + m->path.len > 0)
		return invalid(error, 0, "a response has no target");
	if (m->protocol.len > 0 && (m->status != 426 ||
	    !wk_message_is_protocol(m->protocol)))
		return invalid(error, 0, "only 426 says what to upgrade to");
	return WK_OK;
}

/* Fields about one connection of HTTP/1.1 (RFC 9113, section 8.2.2). */
bool
wk_message_is_connection_field(struct wk_str name)
{
	static const char *const names[] = { "connection", "host",
		"http2-settings", "keep-alive", "proxy-connection",
		"transfer-encoding", "upgrade" };
	size_t i;

	for (i = 0; i < N(names); i++)
		if (wk_str_is_nocase(name, names[i]))
			return true;
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int
check_field(const struct wk_field *field, size_t i, struct wk_error *error)
{
	struct wk_str name = field->name, value = field->value;
	size_t k;

	if (!is_token(name))
		return invalid(error, i, "not a field name");
	for (k = 0; k < name.len; k++)
		if (wk_char_is(name.at[k], WK_CHAR_UPPER))
			return invalid(error, i,
			    "a field name is not in lower case");
	if (wk_message_is_connection_field(name) || (wk_str_is(name, "te") &&
	    !wk_str_is_nocase(value, "trailers")))
		return invalid(error, i, "a field about the connection");
	if (wk_char_span(value.at, value.len, WK_CHAR_FIELD) != value.len)
		return invalid(error, i,
		    "a control character in a field value");
	if (value.len > 0 && (is_blank(value.at[0]) ||
	    is_blank(value.at[value.len - 1])))
		return invalid(error, i, "blanks around a field value");
	return WK_OK;
}

int
wk_message_content_length(const struct wk_message *m, uint64_t *length)
{
	const struct wk_field *field;
	struct wk_str s;
	size_t i;

	*length = 0;
	field = wk_message_find(m, "content-length", NULL);
	if (field == NULL)
		return 0;
	s = field->value;
	if (s.len == 0 || wk_message_find(m, "content-length", field) != NULL)
		return WK_E_MALFORMED;
	for (i = 0; i < s.len; i++) {
		if (!wk_char_is(s.at[i], WK_CHAR_DIGIT) ||
		    *length > (INT64_MAX - (uint64_t)(s.at[i] - '0')) / 10)
			return WK_E_MALFORMED;
		*length = *length * 10 + (uint64_t)(s.at[i] - '0');
	}
	return 1;
}

int
wk_message_check(const struct wk_message *m, struct wk_error *error)
{
	const struct wk_field *field;
	uint64_t length;
	size_t i;
	int rc;

	rc = wk_message_is_request(m) ? check_request(m, error) :
	    check_response(m, error);
	for (i = 0; rc == WK_OK && i < m->n_fields; i++)
		rc = check_field(&m->fields[i], i, error);
	if (rc == WK_OK && wk_message_content_length(m, &length) < 0) {
		field = wk_message_find(m, "content-length", NULL);
		return invalid(error, (size_t)(field - m->fields),
		    "Content-Length is not one number");
	}
	return rc;
}

bool
wk_message_has_capsule_protocol(const struct wk_message *m)
{
	struct wk_sfv_value value;
	struct wk_str line;

	return wk_message_lines(m, "capsule-protocol", &line, 1) == 1 &&
	    wk_sfv_item(&line, 1, &value, NULL, NULL) == WK_OK &&
	    value.type == WK_SFV_BOOLEAN && value.number == 1;
}

int
wk_message_check_tunnel_fields(const struct wk_message *m,
    struct wk_error *error)
{
	static const char *const names[] = { "content-length", "content-type",
		"transfer-encoding" };
	const struct wk_field *field;
	size_t i;

	for (i = 0; i < N(names); i++) {
		field = wk_message_find(m, names[i], NULL);
		if (field != NULL)
			return wk_error_set(error, WK_E_MALFORMED,
			    (uint64_t)(field - m->fields),
			    "a tunnel does not have %s", names[i]);
	}
	return WK_OK;
}

int
wk_message_tunnel_answer(const struct wk_message *response,
    struct wk_error *error)
{
	unsigned status = response->status;

	if (status / 100 != 2)
		return wk_error_set(error, WK_E_UNSUPPORTED, 0,
		    "the tunnel was refused with status %u", status);
	if (status == 204 || status == 205 || status == 206)
		return wk_error_set(error, WK_E_MALFORMED, 0,
		    "status %u does not open a tunnel", status);
	return wk_message_check_tunnel_fields(response, error);
}

const char *
wk_message_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
		{ 100, "Continue" },
		{ 101, "Switching Protocols" },
		{ 102, "Processing" },
		{ 103, "Early Hints" },
		{ 104, "Upload Resumption Supported" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 203, "Non-Authoritative Information" },
		{ 204, "No Content" },
		{ 205, "Reset Content" },
		{ 206, "Partial Content" },
		{ 207, "Multi-Status" },
		{ 208, "Already Reported" },
		{ 226, "IM Used" },
		{ 300, "Multiple Choices" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 305, "Use Proxy" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 407, "Proxy Authentication Required" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 423, "Locked" },
		{ 424, "Failed Dependency" },
		{ 425, "Too Early" },
		{ 426, "Upgrade Required" },
		{ 428, "Precondition Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 451, "Unavailable For Legal Reasons" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 506, "Variant Also Negotiates" },
		{ 507, "Insufficient Storage" },
		{ 508, "Loop Detected" },
		{ 511, "Network Authentication Required" },
	};
	size_t i;

	for (i = 0; i < N(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

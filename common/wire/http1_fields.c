/* SPDX-License-Identifier: MIT */
/* Looking fields up, and what those that frame a message say. */
#include "config.h"

#include "common/wire/http1.h"

#include "common/wire/chars.h"

const struct wk_http1_field *
wk_http1_find(const struct wk_http1_head *head, const char *name,
    const struct wk_http1_field *after)
{
	size_t i = after == NULL ? 0 : (size_t)(after - head->fields) + 1;

	for (; i < head->n_fields; i++)
		if (wk_str_is_nocase(wk_http1_str(head, head->fields[i].name),
		    name))
			return &head->fields[i];
	return NULL;
}

size_t
wk_http1_lines(const struct wk_http1_head *head, const char *name,
    struct wk_str *lines, size_t max)
{
	const struct wk_http1_field *field = NULL;
	size_t n = 0;

	while ((field = wk_http1_find(head, name, field)) != NULL) {
		if (n < max)
			lines[n] = wk_http1_str(head, field->value);
		n++;
	}
	return n;
}

void
wk_http1_list_init(struct wk_http1_list *list,
    const struct wk_http1_head *head, const char *name)
{
	list->head = head;
	list->name = name;
	list->field = wk_http1_find(head, name, NULL);
	list->at = 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Where the element that starts at i ends: at a comma outside quotes. */
static size_t
element_end(struct wk_str s, size_t i)
{
	bool is_quoted = false;

	for (; i < s.len && (is_quoted || s.at[i] != ','); i++) {
		if (s.at[i] == '"')
			is_quoted = !is_quoted;
		else if (is_quoted && s.at[i] == '\\' && i + 1 < s.len)
			i++;
	}
	return i;
}

bool
wk_http1_list_next(struct wk_http1_list *list, struct wk_str *element)
{
	struct wk_str s;
	size_t i, end;

	while (list->field != NULL) {
		s = wk_http1_str(list->head, list->field->value);
		for (i = list->at; i < s.len &&
		    (s.at[i] == ',' || is_blank(s.at[i])); i++)
			;
		if (i == s.len) {
			list->field = wk_http1_find(list->head, list->name,
			    list->field);
			list->at = 0;
			continue;
		}
		end = list->at = element_end(s, i);
		while (is_blank(s.at[end - 1]))
			end--;
		element->at = s.at + i;
		element->len = end - i;
		return true;
	}
	return false;
}

bool
wk_http1_list_has(const struct wk_http1_head *head, const char *name,
    const char *element)
{
	struct wk_http1_list list;
	struct wk_str s;

	wk_http1_list_init(&list, head, name);
	while (wk_http1_list_next(&list, &s))
		if (wk_str_is_nocase(s, element))
			return true;
	return false;
}

bool
wk_http1_is_persistent(const struct wk_http1_head *head)
{
	if (wk_http1_list_has(head, "connection", "close"))
		return false;
	return head->minor > 0 ||
	    wk_http1_list_has(head, "connection", "keep-alive");
}

static int
refuse(struct wk_error *error, enum wk_status status, struct wk_http1_slice at,
    const char *reason)
{
	return wk_error_set(error, status, at.at, "%s", reason);
}

/* A Transfer-Encoding field: chunked, or why not. */
static int
check_codings(const struct wk_http1_head *head,
    const struct wk_http1_field *field, struct wk_error *error)
{
	size_t n = 0, n_chunked = 0;
	bool is_last = false;
	struct wk_http1_list list;
	struct wk_str coding;

	if (wk_http1_find(head, "transfer-encoding", field) == NULL &&
	    wk_str_is_nocase(wk_http1_str(head, field->value), "chunked"))
		return WK_OK;
	wk_http1_list_init(&list, head, "transfer-encoding");
	while (wk_http1_list_next(&list, &coding)) {
		is_last = wk_str_is_nocase(coding, "chunked");
		n_chunked += is_last;
		n++;
	}
	if (n == n_chunked)
		return refuse(error, WK_E_MALFORMED, field->value,
		    "expected chunked and nothing else");
	if (n_chunked > 1 || (n_chunked == 1 && !is_last) ||
	    (n_chunked == 0 && head->kind == WK_HTTP1_REQUEST))
		return refuse(error, WK_E_MALFORMED, field->value,
		    "chunked is not the last transfer coding");
	return refuse(error, WK_E_UNSUPPORTED, field->value,
	    "a transfer coding other than chunked");
}

static int
parse_length(const struct wk_http1_head *head,
    const struct wk_http1_field *field, uint64_t *length,
    struct wk_error *error)
{
	struct wk_str s = wk_http1_str(head, field->value);
	const struct wk_http1_field *other;
	uint64_t value = 0;
	size_t i;

	other = wk_http1_find(head, "content-length", field);
	if (other != NULL)
		return refuse(error, WK_E_MALFORMED, other->name,
		    "a second Content-Length field");
	if (s.len == 0 || wk_char_span(s.at, s.len, WK_CHAR_DIGIT) != s.len)
		return refuse(error, WK_E_MALFORMED, field->value,
		    "Content-Length is not one number");
	for (i = 0; i < s.len; i++) {
		if (value > (INT64_MAX - (uint64_t)(s.at[i] - '0')) / 10)
			return refuse(error, WK_E_LIMIT, field->value,
			    "Content-Length is beyond 2^63-1");
		value = value * 10 + (uint64_t)(s.at[i] - '0');
	}
	*length = value;
	return WK_OK;
}

/* What the fields say: chunked, a length, or what it is without either. */
static int
framing_by_fields(const struct wk_http1_head *head,
    enum wk_http1_framing otherwise, enum wk_http1_framing *framing,
    uint64_t *length, struct wk_error *error)
{
	const struct wk_http1_field *te, *cl;
	int rc;

	te = wk_http1_find(head, "transfer-encoding", NULL);
	cl = wk_http1_find(head, "content-length", NULL);
	*framing = otherwise;
	if (te != NULL && cl != NULL)
		return refuse(error, WK_E_MALFORMED, cl->name,
		    "Content-Length together with Transfer-Encoding");
	if (te != NULL && head->minor == 0)
		return refuse(error, WK_E_MALFORMED, te->name,
		    "Transfer-Encoding in HTTP/1.0");
	if (te != NULL) {
		rc = check_codings(head, te, error);
		*framing = WK_HTTP1_CHUNKED;
		return rc;
	}
	if (cl == NULL)
		return WK_OK;
	*framing = WK_HTTP1_LENGTH;
	return parse_length(head, cl, length, error);
}

static int
framing_of_request(const struct wk_http1_head *head,
    enum wk_http1_framing *framing, uint64_t *length, struct wk_error *error)
{
	int rc = framing_by_fields(head, WK_HTTP1_NO_BODY, framing, length,
	    error);

	if (rc != WK_OK || !wk_str_is(wk_http1_str(head, head->method),
	    "CONNECT"))
		return rc;
	if (*framing == WK_HTTP1_CHUNKED || *length > 0)
		return refuse(error, WK_E_MALFORMED, head->method,
		    "CONNECT has no body");
	*framing = WK_HTTP1_NO_BODY;
	return WK_OK;
}

int
wk_http1_framing(const struct wk_http1_head *head,
    struct wk_str request_method, enum wk_http1_framing *framing,
    uint64_t *length, struct wk_error *error)
{
	unsigned status = head->status;

	*length = 0;
	if (head->kind == WK_HTTP1_REQUEST)
		return framing_of_request(head, framing, length, error);
	if (status == 101 || (status / 100 == 2 &&
	    wk_str_is(request_method, "CONNECT")))
		*framing = WK_HTTP1_TUNNEL;
	else if (status / 100 == 1 || status == 204 || status == 304 ||
	    wk_str_is(request_method, "HEAD"))
		*framing = WK_HTTP1_NO_BODY;
	else
		return framing_by_fields(head, WK_HTTP1_UNTIL_CLOSE, framing,
		    length, error);
	return WK_OK;
}

/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/proxy_tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/base64.h"
#include "common/base/text.h"
#include "common/net/sock.h"
#include "common/wire/http1.h"
#include "common/wire/message.h"

#define HEAD_MAX 16384
#define FIELDS_MAX 100
#define REASON_MAX 512

/* SOCKS5, by the names of RFC 1928. */
enum {
	SOCKS_VERSION = 5,
	SOCKS_NO_AUTH = 0,
	SOCKS_PASSWORD = 2,
	SOCKS_PASSWORD_VERSION = 1,
	SOCKS_CONNECT = 1,
	SOCKS_IPV4 = 1,
	SOCKS_NAME = 3,
	SOCKS_IPV6 = 4,
	SOCKS_REPLY_MAX = 4 + 1 + 255 + 2,
};

struct wk_proxy_tunnel {
	struct wk_loop *loop;
	const struct wk_proxy *proxy;
	void (*done)(void *arg, int status, const char *reason);
	void *arg;
	struct wk_io io;
	struct wk_task start;
	struct wk_resolve *resolve;
	struct wk_buf out;
	size_t sent;
	/* What to do with what comes; true: it was not the last. */
	bool (*receive)(struct wk_proxy_tunnel *t);
	/* SOCKS5: a reply of want octets. */
	uint8_t reply[SOCKS_REPLY_MAX];
	size_t have, want;
	/* CONNECT: its response. */
	struct wk_http1_reader reader;
	char head[HEAD_MAX];
	struct wk_http1_field fields[FIELDS_MAX];
	uint16_t port;
	char host[];
};

void
wk_proxy_tunnel_cancel(struct wk_proxy_tunnel *t)
{
	if (t == NULL)
		return;
	wk_io_watch(&t->io, 0);
	wk_task_cancel(&t->start);
	if (t->resolve != NULL)
		wk_resolve_cancel(t->resolve);
	wk_buf_free(&t->out);
	free(t);
}

/* Over; always false, as nothing more is to be received. */
static bool __attribute__((format(printf, 3, 4)))
end(struct wk_proxy_tunnel *t, int status, const char *format, ...)
{
	void (*done)(void *, int, const char *) = t->done;
	void *arg = t->arg;
	char reason[REASON_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	wk_proxy_tunnel_cancel(t);
	done(arg, status, status == WK_OK ? NULL : reason);
	return false;
}

/* --- CONNECT -------------------------------------------------------------- */

/* "403 Forbidden (Proxy-Status: ...)", fit for a terminal. */
static bool
refused(struct wk_proxy_tunnel *t)
{
	const struct wk_http1_head *head = &t->reader.head;
	struct wk_str reason = wk_http1_str(head, head->reason), value;
	const struct wk_http1_field *field = NULL;
	struct wk_buf text;

	wk_buf_init(&text, REASON_MAX - 1);
	wk_buf_printf(&text, "%u ", head->status);
	if (reason.len == 0)
		reason = wk_str_of(wk_message_reason(head->status));
	wk_text_escape(&text, reason.at, reason.len, 0);
	while ((field = wk_http1_find(head, "proxy-status", field)) != NULL) {
		value = wk_http1_str(head, field->value);
		wk_buf_printf(&text, "; Proxy-Status: ");
		wk_text_escape(&text, value.at, value.len, 0);
	}
	if (head->status == 407 && t->proxy->user == NULL)
		wk_buf_printf(&text, "; put USER:PASSWORD@ into its URL");
	end(t, WK_E_REFUSED, "%.*s", (int)text.len,
	    text.len > 0 ? (const char *)text.data : "");
	wk_buf_free(&text);
	return false;
}

static void
expect_head(struct wk_proxy_tunnel *t)
{
	wk_http1_reader_init(&t->reader, WK_HTTP1_RESPONSE, t->head,
	    sizeof(t->head), t->fields, FIELDS_MAX);
}

/* A whole head: false when that was all. */
static bool
take_head(struct wk_proxy_tunnel *t)
{
	unsigned status = t->reader.head.status;

	if (status == 101)
		return end(t, WK_E_MALFORMED, "101 in answer to CONNECT");
	if (status < 200) {
		expect_head(t);
		return true;
	}
	/* No 2xx to CONNECT has a body; whatever it says of one is ignored. */
	return status > 299 ? refused(t) : end(t, WK_OK, "%s", "");
}

static bool
has_no_octets(struct wk_proxy_tunnel *t, ssize_t n)
{
	if (n == 0)
		end(t, WK_E_TRUNCATED, "it closed the connection");
	else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		end(t, WK_E_SYSTEM, "%s", strerror(errno));
	return false;
}

/*
 * Behind the head the target speaks, and it may do so at once. So look first,
 * and then take from the kernel what belongs to the head.
 */
static bool
receive_head(struct wk_proxy_tunnel *t)
{
	uint8_t block[4096];
	const uint8_t *in = block;
	ssize_t n = recv(t->io.fd, block, sizeof(block), MSG_PEEK);
	size_t left;
	int event;

	if (n <= 0)
		return has_no_octets(t, n);
	left = (size_t)n;
	event = wk_http1_read(&t->reader, &in, &left);
	if (recv(t->io.fd, block, (size_t)n - left, 0) !=
	    n - (ssize_t)left)
		return end(t, WK_E_SYSTEM, "%s", strerror(errno));
	if (event < 0)
		return end(t, WK_E_MALFORMED, "its answer to CONNECT: %s",
		    t->reader.error.reason);
	return event == WK_HTTP1_MORE || take_head(t);
}

static void
put_credentials(struct wk_proxy_tunnel *t)
{
	const struct wk_proxy *proxy = t->proxy;
	struct wk_buf plain, value;

	if (proxy->user == NULL)
		return;
	wk_buf_init(&plain, 2 * HEAD_MAX);
	wk_buf_init(&value, 2 * HEAD_MAX);
	wk_buf_printf(&plain, "%s:%s", proxy->user, proxy->password);
	wk_buf_printf(&value, "Basic ");
	if (plain.status != WK_OK ||
	    wk_base64_append(&value, plain.data, plain.len) != WK_OK)
		t->out.status = WK_E_LIMIT;
	else
		wk_http1_put_field(&t->out, "Proxy-Authorization",
		    (struct wk_str){ (char *)value.data, value.len });
	wk_buf_free(&plain);
	wk_buf_free(&value);
}

static void
start_connect(struct wk_proxy_tunnel *t)
{
	bool is_ipv6 = strchr(t->host, ':') != NULL;
	struct wk_buf target;

	wk_buf_init(&target, HEAD_MAX);
	wk_buf_printf(&target, is_ipv6 ? "[%s]:%u" : "%s:%u", t->host,
	    t->port);
	if (target.status == WK_OK) {
		struct wk_str text = { (char *)target.data, target.len };

		wk_http1_put_request(&t->out, wk_str_of("CONNECT"), text);
		wk_http1_put_field(&t->out, "Host", text);
	}
	put_credentials(t);
	wk_http1_put_end(&t->out);
	if (target.status != WK_OK)
		t->out.status = target.status;
	wk_buf_free(&target);
	expect_head(t);
	t->receive = receive_head;
}

/* --- SOCKS5 --------------------------------------------------------------- */

/* From the next octet on, a reply of so many. */
static void
expect(struct wk_proxy_tunnel *t, size_t octets,
    bool (*receive)(struct wk_proxy_tunnel *t))
{
	t->have = 0;
	t->want = octets;
	t->receive = receive;
}

/* True once want octets are there. */
static bool
has_reply(struct wk_proxy_tunnel *t, bool *goes_on)
{
	ssize_t n = recv(t->io.fd, t->reply + t->have, t->want - t->have, 0);

	*goes_on = false;
	if (n <= 0)
		return has_no_octets(t, n);
	t->have += (size_t)n;
	*goes_on = true;
	return t->have == t->want;
}

static const char *
socks_refusal(unsigned code)
{
	static const char *const texts[] = {
		NULL,
		"general failure",
		"its rules do not allow it",
		"network unreachable",
		"host unreachable",
		"connection refused",
		"time to live expired",
		"it cannot connect",
		"it does not know this kind of address",
	};

	return code < sizeof(texts) / sizeof(texts[0]) && texts[code] != NULL ?
	    texts[code] : "for a reason of its own";
}

static bool
receive_socks_rest(struct wk_proxy_tunnel *t)
{
	bool goes_on;

	if (!has_reply(t, &goes_on))
		return goes_on;
	return end(t, WK_OK, "%s", "");
}

/* Up to the first octet of the address, which tells how long it is. */
static bool
receive_socks_reply(struct wk_proxy_tunnel *t)
{
	bool goes_on;
	size_t more;

	if (!has_reply(t, &goes_on))
		return goes_on;
	if (t->reply[0] != SOCKS_VERSION)
		return end(t, WK_E_MALFORMED, "its answer is not of SOCKS5");
	if (t->reply[1] != 0)
		return end(t, WK_E_REFUSED, "SOCKS5 code %u, %s", t->reply[1],
		    socks_refusal(t->reply[1]));
	switch (t->reply[3]) {
	case SOCKS_IPV4:
		more = 4 - 1 + 2;
		break;
	case SOCKS_IPV6:
		more = 16 - 1 + 2;
		break;
	case SOCKS_NAME:
		more = (size_t)t->reply[4] + 2;
		break;
	default:
		return end(t, WK_E_MALFORMED,
		    "its answer has an address of unknown kind %u",
		    t->reply[3]);
	}
	expect(t, more, receive_socks_rest);
	return true;
}

static void
put_socks_address(struct wk_buf *b, const struct wk_address *address)
{
	const struct sockaddr_in *in4 = (const void *)&address->sa;
	const struct sockaddr_in6 *in6 = (const void *)&address->sa;

	if (address->sa.ss_family == AF_INET) {
		wk_buf_uint(b, SOCKS_IPV4, 1);
		wk_buf_append(b, &in4->sin_addr, 4);
	} else {
		wk_buf_uint(b, SOCKS_IPV6, 1);
		wk_buf_append(b, &in6->sin6_addr, 16);
	}
}

/* Ask for the target: by the address found for it, or NULL, by its name. */
static void
put_socks_connect(struct wk_proxy_tunnel *t, const struct wk_address *address)
{
	struct wk_buf *b = &t->out;
	size_t len = strlen(t->host);

	wk_buf_uint(b, SOCKS_VERSION << 16 | SOCKS_CONNECT << 8, 3);
	if (address != NULL) {
		put_socks_address(b, address);
	} else {
		wk_buf_uint(b, SOCKS_NAME, 1);
		wk_buf_uint(b, len, 1);
		wk_buf_append(b, t->host, len);
	}
	wk_buf_uint(b, t->port, 2);
	expect(t, 5, receive_socks_reply);
	wk_io_watch(&t->io, WK_IO_WRITE);
}

static void
on_resolved(void *arg, const struct wk_resolve_result *result)
{
	struct wk_proxy_tunnel *t = arg;

	t->resolve = NULL;
	if (result->status != WK_OK)
		end(t, WK_E_SYSTEM, "%s: %s", t->host, result->reason);
	else
		put_socks_connect(t, &result->addresses[0]);
}

static bool
request_socks(struct wk_proxy_tunnel *t)
{
	struct wk_address address;

	if (wk_address_from_ip(&address, wk_str_of(t->host), t->port) ==
	    WK_OK) {
		put_socks_connect(t, &address);
		return true;
	}
	if (t->proxy->kind == WK_PROXY_SOCKS5H) {
		if (strlen(t->host) > 255)
			return end(t, WK_E_INVALID,
			    "a name of more than 255 octets");
		put_socks_connect(t, NULL);
		return true;
	}
	wk_io_watch(&t->io, 0);
	t->resolve = wk_resolve_start(t->loop, t->host, t->port, AF_UNSPEC,
	    on_resolved, t);
	if (t->resolve == NULL)
		return end(t, WK_E_SYSTEM, "%s", strerror(errno));
	return true;
}

static bool
receive_socks_verdict(struct wk_proxy_tunnel *t)
{
	bool goes_on;

	if (!has_reply(t, &goes_on))
		return goes_on;
	if (t->reply[0] != SOCKS_PASSWORD_VERSION)
		return end(t, WK_E_MALFORMED,
		    "its answer to the password is not of RFC 1929");
	if (t->reply[1] != 0)
		return end(t, WK_E_REFUSED, "it refuses user and password");
	return request_socks(t);
}

static bool
receive_socks_method(struct wk_proxy_tunnel *t)
{
	const struct wk_proxy *proxy = t->proxy;
	bool goes_on;

	if (!has_reply(t, &goes_on))
		return goes_on;
	if (t->reply[0] != SOCKS_VERSION)
		return end(t, WK_E_MALFORMED, "it does not speak SOCKS5");
	if (t->reply[1] == SOCKS_NO_AUTH)
		return request_socks(t);
	if (t->reply[1] != SOCKS_PASSWORD || proxy->user == NULL)
		return end(t, WK_E_REFUSED, proxy->user == NULL ?
		    "it wants credentials; put USER:PASSWORD@ into its URL" :
		    "it takes no user and password");
	wk_buf_uint(&t->out, SOCKS_PASSWORD_VERSION, 1);
	wk_buf_uint(&t->out, strlen(proxy->user), 1);
	wk_buf_append(&t->out, proxy->user, strlen(proxy->user));
	wk_buf_uint(&t->out, strlen(proxy->password), 1);
	wk_buf_append(&t->out, proxy->password, strlen(proxy->password));
	expect(t, 2, receive_socks_verdict);
	wk_io_watch(&t->io, WK_IO_WRITE);
	return true;
}

static void
start_socks(struct wk_proxy_tunnel *t)
{
	const struct wk_proxy *proxy = t->proxy;

	if (proxy->user != NULL && (strlen(proxy->user) > 255 ||
	    strlen(proxy->password) > 255))
		t->out.status = WK_E_LIMIT;
	else if (proxy->user != NULL)
		wk_buf_append(&t->out, "\5\2\0\2", 4);
	else
		wk_buf_append(&t->out, "\5\1\0", 3);
	expect(t, 2, receive_socks_method);
}

/* -------------------------------------------------------------------------- */

/* False: over, or blocked. */
static bool
send_out(struct wk_proxy_tunnel *t)
{
	ssize_t n;

	if (t->out.status != WK_OK)
		return end(t, t->out.status,
		    "its credentials, or the host, are too long");
	while (t->sent < t->out.len) {
		n = send(t->io.fd, t->out.data + t->sent,
		    t->out.len - t->sent, MSG_NOSIGNAL);
		if (n < 0)
			return has_no_octets(t, n);
		t->sent += (size_t)n;
	}
	wk_buf_clear(&t->out);
	t->sent = 0;
	wk_io_watch(&t->io, WK_IO_READ);
	return true;
}

static void
on_ready(struct wk_io *io, unsigned events)
{
	struct wk_proxy_tunnel *t = io->arg;

	if (t->out.len > 0)
		(void)send_out(t);
	else if (events & WK_IO_READ)
		while (t->receive(t) && t->out.len == 0 && t->resolve == NULL)
			;
}

static void
on_start(struct wk_task *task)
{
	struct wk_proxy_tunnel *t = task->arg;

	if (t->proxy->kind == WK_PROXY_HTTP)
		start_connect(t);
	else
		start_socks(t);
	wk_io_watch(&t->io, WK_IO_WRITE);
	(void)send_out(t);
}

struct wk_proxy_tunnel *
wk_proxy_tunnel_start(struct wk_loop *loop, int fd,
    const struct wk_proxy *proxy, const char *host, uint16_t port,
    void (*done)(void *arg, int status, const char *reason), void *arg)
{
	struct wk_proxy_tunnel *t = calloc(1, sizeof(*t) + strlen(host) + 1);

	if (t == NULL)
		return NULL;
	memcpy(t->host, host, strlen(host) + 1);
	t->loop = loop;
	t->proxy = proxy;
	t->port = port;
	t->done = done;
	t->arg = arg;
	wk_buf_init(&t->out, 2 * HEAD_MAX);
	wk_io_init(&t->io, loop, fd, on_ready, t);
	wk_task_init(&t->start, loop, on_start, t);
	wk_task_schedule(&t->start);
	return t;
}

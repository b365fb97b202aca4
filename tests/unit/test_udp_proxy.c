/* SPDX-License-Identifier: MIT */
/*
 * The proxy behind a session that only notes what it is told, in front of real
 * UDP sockets on the loopback.
 */
#include "config.h"

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/net/session_parts.h"
#include "common/net/udp_proxy.h"

#define ANSWER_MAX 512
#define PATIENCE_NS (5 * WK_NS_PER_SEC)

/* --- a session of nothing ------------------------------------------------ */

struct fake {
	struct wk_session session;
	struct wk_session_ops session_ops;
	struct wk_stream_ops stream_ops;
	struct wk_stream stream;
	struct wk_loop *loop;
	char answer[ANSWER_MAX];	/* "STATUS name: value|..." */
	uint8_t sent[70000];
	size_t n_sent, room;
	bool is_tunnel, has_finished, was_reset;
	enum wk_stream_code code;
};

static struct fake *
fake_of(const struct wk_stream *s)
{
	return (struct fake *)((char *)(uintptr_t)s -
	    offsetof(struct fake, stream));
}

static int
fake_respond(struct wk_stream *s, const struct wk_message *m, bool is_last,
    struct wk_error *error)
{
	struct fake *f = fake_of(s);
	size_t i, n;

	(void)error;
	assert_int_equal(f->answer[0], '\0');
	n = (size_t)snprintf(f->answer, sizeof(f->answer), "%u%s", m->status,
	    is_last ? "" : " open");
	for (i = 0; i < m->n_fields; i++)
		n += (size_t)snprintf(f->answer + n, sizeof(f->answer) - n,
		    "|%.*s: %.*s", (int)m->fields[i].name.len,
		    m->fields[i].name.at, (int)m->fields[i].value.len,
		    m->fields[i].value.at);
	if (m->protocol.len > 0)
		snprintf(f->answer + n, sizeof(f->answer) - n, "|upgrade %.*s",
		    (int)m->protocol.len, m->protocol.at);
	f->is_tunnel = !is_last;
	wk_loop_stop(f->loop);
	return WK_OK;
}

static ssize_t
fake_write(struct wk_stream *s, const void *data, size_t len)
{
	struct fake *f = fake_of(s);

	if (!f->is_tunnel)
		return WK_E_INVALID;
	assert_true(f->n_sent + len <= sizeof(f->sent));
	memcpy(f->sent + f->n_sent, data, len);
	f->n_sent += len;
	if (len > 0)
		wk_loop_stop(f->loop);
	return (ssize_t)len;
}

static size_t
fake_room(const struct wk_stream *s)
{
	return fake_of(s)->room;
}

static int
fake_finish(struct wk_stream *s)
{
	fake_of(s)->has_finished = true;
	wk_loop_stop(fake_of(s)->loop);
	return WK_OK;
}

static void
fake_reset(struct wk_stream *s, enum wk_stream_code code, const char *reason)
{
	struct fake *f = fake_of(s);

	(void)reason;
	f->was_reset = true;
	f->code = code;
	wk_loop_stop(f->loop);
}

static void
fake_init(struct fake *f, struct wk_loop *loop, enum wk_http_version version)
{
	static const struct wk_session_handler handler = { .request = NULL };

	memset(f, 0, sizeof(*f));
	f->loop = loop;
	f->room = sizeof(f->sent);
	f->session_ops = (struct wk_session_ops){ .version = version };
	f->stream_ops = (struct wk_stream_ops){
		.respond = fake_respond, .write = fake_write,
		.room = fake_room, .finish = fake_finish, .reset = fake_reset,
	};
	f->session.ops = &f->session_ops;
	f->session.handler = &handler;
	f->session.is_server = true;
	wk_session_limits_default(&f->session.limits);
	wk_stream_attach(&f->session, &f->stream, &f->stream_ops, 1);
}

static void
fake_close(struct fake *f)
{
	wk_stream_deliver_closed(&f->stream, NULL);
}

/* --- the scene ----------------------------------------------------------- */

struct scene {
	struct wk_loop *loop;
	struct wk_access_targets *targets;
	struct wk_udp_proxy *proxy;
	struct fake fake;
	int target;		/* a UDP socket on the loopback */
	uint16_t port;
	struct wk_timer patience;
};

static void
lost_patience(struct wk_timer *timer)
{
	(void)timer;
	fail_msg("nothing happened");
}

static void
scene_init(struct scene *sc, const struct wk_udp_proxy_options *wanted,
    bool is_allowed)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct wk_udp_proxy_options options = *wanted;
	socklen_t len = sizeof(sin);
	struct wk_error error;
	char text[64];

	sc->loop = wk_loop_new();
	assert_non_null(sc->loop);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sc->target = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(sc->target, (void *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(sc->target, (void *)&sin, &len), 0);
	sc->port = ntohs(sin.sin_port);
	sc->targets = wk_access_targets_new();
	snprintf(text, sizeof(text), "127.0.0.1:%u", sc->port);
	if (is_allowed)
		assert_int_equal(wk_access_targets_add(sc->targets, true, text,
		    &error), WK_OK);
	options.name = "test";
	options.targets = sc->targets;
	sc->proxy = wk_udp_proxy_new(sc->loop, &options, &error);
	assert_non_null(sc->proxy);
	wk_timer_init(&sc->patience, sc->loop, lost_patience, sc);
	fake_init(&sc->fake, sc->loop, WK_HTTP_2);
}

static void
scene_free(struct scene *sc)
{
	wk_timer_set(&sc->patience, WK_NEVER);
	wk_udp_proxy_del(sc->proxy);
	wk_access_targets_del(sc->targets);
	close(sc->target);
	wk_loop_del(sc->loop);
}

/* Until the fake stream is told something. */
static void
scene_run(struct scene *sc)
{
	wk_timer_set(&sc->patience, wk_clock_now_ns() + PATIENCE_NS);
	wk_loop_run(sc->loop);
}

static const char *
path_to(uint16_t port)
{
	static char path[96];

	snprintf(path, sizeof(path), "/.well-known/masque/udp/127.0.0.1/%u/",
	    port);
	return path;
}

static void
ask(struct scene *sc, const char *protocol, const char *method,
    const char *path, const struct wk_field *field)
{
	const struct wk_message m = {
		.method = wk_str_of(method), .protocol = wk_str_of(protocol),
		.scheme = wk_str_of("https"), .authority = wk_str_of("x"),
		.path = wk_str_of(path), .fields = field,
		.n_fields = field != NULL,
	};

	wk_udp_proxy_request(sc->proxy, &sc->fake.stream, &m);
}

static void
open_tunnel(struct scene *sc)
{
	ask(sc, "connect-udp", "CONNECT", path_to(sc->port), NULL);
	scene_run(sc);
	assert_string_equal(sc->fake.answer, "200 open|capsule-protocol: ?1|"
	    "proxy-status: test; next-hop=\"127.0.0.1\"");
}

/* What arrives at the target, in hex; "" for an empty packet. */
static const char *
at_target(struct scene *sc, struct sockaddr_in *from)
{
	static char text[200];
	uint8_t data[64];
	socklen_t len = sizeof(*from);
	ssize_t n, i;

	n = recvfrom(sc->target, data, sizeof(data), 0, (void *)from, &len);
	assert_true(n >= 0);
	text[0] = '\0';
	for (i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	return text;
}

static void
deliver(struct scene *sc, const char *hex)
{
	uint8_t data[256];
	size_t n = unhex(hex, data, sizeof(data));

	wk_stream_deliver_data(&sc->fake.stream, data, n);
}

static const struct wk_udp_proxy_options plain = { 0 };

static void
test_there_and_back(void **state)
{
	struct wk_udp_proxy_counters counters;
	struct sockaddr_in from;
	struct scene sc;

	(void)state;
	scene_init(&sc, &plain, true);
	open_tunnel(&sc);
	deliver(&sc, "00060068656c6c6f");
	assert_string_equal(at_target(&sc, &from), "68656c6c6f");
	deliver(&sc, "000100");
	assert_string_equal(at_target(&sc, &from), "");
	/* other capsules and other contexts are nobody's */
	deliver(&sc, "170178 00020279 0003007a7a");
	assert_string_equal(at_target(&sc, &from), "7a7a");

	assert_int_equal(sendto(sc.target, "hi", 2, 0, (void *)&from,
	    sizeof(from)), 2);
	scene_run(&sc);
	assert_int_equal(sc.fake.n_sent, 5);
	assert_memory_equal(sc.fake.sent, "\0\3\0hi", 5);

	wk_udp_proxy_counters(sc.proxy, &counters);
	assert_int_equal(counters.opened, 1);
	assert_int_equal(counters.open, 1);
	assert_int_equal(counters.to_target, 3);
	assert_int_equal(counters.from_target, 1);
	assert_int_equal(counters.dropped_context, 1);

	wk_stream_deliver_end(&sc.fake.stream);
	assert_true(sc.fake.has_finished);
	fake_close(&sc.fake);
	wk_udp_proxy_counters(sc.proxy, &counters);
	assert_int_equal(counters.open, 0);
	scene_free(&sc);
}

/* Clients need not wait for the answer: capsules stay whole across it. */
static void
test_early_datagrams_are_dropped_whole(void **state)
{
	struct sockaddr_in from;
	struct scene sc;

	(void)state;
	scene_init(&sc, &plain, true);
	ask(&sc, "connect-udp", "CONNECT", path_to(sc.port), NULL);
	deliver(&sc, "00030061 62 0003 00");
	scene_run(&sc);
	assert_memory_equal(sc.fake.answer, "200 open", 8);
	deliver(&sc, "6364 0002 0065");
	assert_false(sc.fake.was_reset);
	/* The first one came too early, the second was whole in time. */
	assert_string_equal(at_target(&sc, &from), "6364");
	assert_string_equal(at_target(&sc, &from), "65");
	fake_close(&sc.fake);
	scene_free(&sc);
}

static void
test_clients_that_end_before_the_answer(void **state)
{
	struct scene sc;

	(void)state;
	scene_init(&sc, &plain, true);
	ask(&sc, "connect-udp", "CONNECT", path_to(sc.port), NULL);
	wk_stream_deliver_end(&sc.fake.stream);
	assert_false(sc.fake.has_finished);
	scene_run(&sc);
	assert_memory_equal(sc.fake.answer, "200 open", 8);
	assert_true(sc.fake.has_finished);
	fake_close(&sc.fake);
	scene_free(&sc);
}

static void
test_others_packets_stay_out(void **state)
{
	struct sockaddr_in from, other = { .sin_family = AF_INET };
	struct scene sc;
	int stranger = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	scene_init(&sc, &plain, true);
	open_tunnel(&sc);
	deliver(&sc, "00020061");
	at_target(&sc, &from);
	other.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(stranger, (void *)&other, sizeof(other)), 0);
	assert_int_equal(sendto(stranger, "no", 2, 0, (void *)&from,
	    sizeof(from)), 2);
	assert_int_equal(sendto(sc.target, "yes", 3, 0, (void *)&from,
	    sizeof(from)), 3);
	scene_run(&sc);
	assert_memory_equal(sc.fake.sent, "\0\4\0yes", 6);
	close(stranger);
	fake_close(&sc.fake);
	scene_free(&sc);
}

static void
test_full_queue_drops(void **state)
{
	struct wk_udp_proxy_counters counters;
	struct sockaddr_in from;
	struct scene sc;

	(void)state;
	scene_init(&sc, &plain, true);
	open_tunnel(&sc);
	deliver(&sc, "00020061");
	at_target(&sc, &from);
	sc.fake.room = 6;
	sendto(sc.target, "long", 4, 0, (void *)&from, sizeof(from));
	sendto(sc.target, "hi", 2, 0, (void *)&from, sizeof(from));
	scene_run(&sc);
	assert_int_equal(sc.fake.n_sent, 5);
	wk_udp_proxy_counters(sc.proxy, &counters);
	assert_int_equal(counters.dropped_blocked, 1);
	assert_int_equal(counters.from_target, 1);
	fake_close(&sc.fake);
	scene_free(&sc);
}

/* ICMP says that nobody is there: the stream goes with the socket. */
static void
test_refused_target(void **state)
{
	struct scene sc;

	(void)state;
	scene_init(&sc, &plain, true);
	open_tunnel(&sc);
	close(sc.target);
	sc.target = -1;
	deliver(&sc, "00020061");
	scene_run(&sc);
	assert_true(sc.fake.was_reset);
	assert_int_equal(sc.fake.code, WK_STREAM_CONNECT);
	fake_close(&sc.fake);
	scene_free(&sc);
}

static void
test_malformed(void **state)
{
	static const char *const bad[] = { "0000", "000140" };
	struct scene sc;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		scene_init(&sc, &plain, true);
		open_tunnel(&sc);
		deliver(&sc, bad[i]);
		assert_true(sc.fake.was_reset);
		assert_int_equal(sc.fake.code, WK_STREAM_DATAGRAM);
		fake_close(&sc.fake);
		scene_free(&sc);
	}
}

static void
test_idle(void **state)
{
	const struct wk_udp_proxy_options options = { .idle_timeout_ns = 1 };
	struct scene sc;

	(void)state;
	scene_init(&sc, &options, true);
	open_tunnel(&sc);
	scene_run(&sc);
	assert_true(sc.fake.has_finished);
	fake_close(&sc.fake);
	scene_free(&sc);
}

/* A proxy that goes away first leaves no stream that could call it. */
static void
test_deleted_first(void **state)
{
	struct scene sc;

	(void)state;
	scene_init(&sc, &plain, true);
	open_tunnel(&sc);
	scene_free(&sc);
	assert_true(sc.fake.was_reset);
	fake_close(&sc.fake);
}

static void
test_refusals(void **state)
{
#define UDP "/.well-known/masque/udp/"
	static const struct {
		const char *method, *protocol, *path, *answer;
		enum wk_http_version version;
	} cases[] = {
		{ "CONNECT", "connect-ip", UDP "192.0.2.1/53/", "501",
		    WK_HTTP_2 },
		{ "CONNECT", "", "", "501", WK_HTTP_2 },
		{ "CONNECT", "connect-udp", "/elsewhere", "404", WK_HTTP_2 },
		{ "GET", "", "/elsewhere", "404", WK_HTTP_1_1 },
		{ "GET", "", UDP "192.0.2.1/53/",
		    "426|upgrade connect-udp", WK_HTTP_1_1 },
		{ "POST", "", UDP "192.0.2.1/53/", "405|allow: GET",
		    WK_HTTP_1_1 },
		{ "GET", "", UDP "192.0.2.1/53/", "405|allow: CONNECT",
		    WK_HTTP_2 },
#define REFUSES(target) { "CONNECT", "connect-udp", UDP target, \
		    "400|proxy-status: test; error=http_request_error", \
		    WK_HTTP_2 }
		REFUSES("192.0.2.1/0/"), REFUSES("192.0.2.1/65536/"),
		REFUSES("192.0.2.1/http/"), REFUSES("/53/"),
		REFUSES("192.0.2.1//"), REFUSES("%5B%3A%3A1%5D/53/"),
		REFUSES("fe80%3A%3A1%25eth0/53/"), REFUSES("a%00b/53/"),
		REFUSES("a%2Fb/53/"), REFUSES("1%3A2/53/"),
		{ "CONNECT", "connect-udp", UDP "denied.example/53/",
		    "403|proxy-status: test; error=http_request_denied",
		    WK_HTTP_2 },
		{ "CONNECT", "connect-udp", UDP "127.0.0.1/53/",
		    "502|proxy-status: test; error=destination_ip_prohibited; "
		    "details=\"loopback addresses are not served\"",
		    WK_HTTP_2 },
		/* encoded twice, as an old client does */
		{ "CONNECT", "connect-udp", UDP "%253A%253A1/53/",
		    "502|proxy-status: test; error=destination_ip_prohibited; "
		    "details=\"loopback addresses are not served\"",
		    WK_HTTP_2 },
	};
	struct wk_udp_proxy_counters counters;
	struct scene sc;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scene_init(&sc, &plain, false);
		assert_int_equal(wk_access_targets_add(sc.targets, false,
		    "denied.example", NULL), WK_OK);
		sc.fake.session_ops.version = cases[i].version;
		ask(&sc, cases[i].protocol, cases[i].method, cases[i].path,
		    NULL);
		if (sc.fake.answer[0] == '\0')
			scene_run(&sc);
		if (strcmp(sc.fake.answer, cases[i].answer) != 0)
			fail_msg("%s %s: %s", cases[i].method, cases[i].path,
			    sc.fake.answer);
		wk_udp_proxy_counters(sc.proxy, &counters);
		assert_int_equal(counters.refused, 1);
		fake_close(&sc.fake);
		scene_free(&sc);
	}
}

static void
test_content_is_malformed(void **state)
{
	const struct wk_field field = {
		wk_str_of("content-length"), wk_str_of("0"),
	};
	struct scene sc;

	(void)state;
	scene_init(&sc, &plain, true);
	ask(&sc, "connect-udp", "CONNECT", path_to(sc.port), &field);
	assert_memory_equal(sc.fake.answer, "400|", 4);
	fake_close(&sc.fake);
	scene_free(&sc);
}

static void
test_limit(void **state)
{
	const struct wk_udp_proxy_options options = { .max_tunnels = 1 };
	struct scene sc;
	static struct fake second;
	const struct wk_message m = {
		.method = wk_str_of("CONNECT"),
		.protocol = wk_str_of("connect-udp"),
		.scheme = wk_str_of("https"), .authority = wk_str_of("x"),
		.path = wk_str_of(UDP "192.0.2.1/53/"),
	};

	(void)state;
	scene_init(&sc, &options, true);
	open_tunnel(&sc);
	fake_init(&second, sc.loop, WK_HTTP_2);
	wk_udp_proxy_request(sc.proxy, &second.stream, &m);
	assert_string_equal(second.answer,
	    "503|proxy-status: test; error=connection_limit_reached");
	fake_close(&second);
	fake_close(&sc.fake);
	scene_free(&sc);
}

static void
test_credentials_first(void **state)
{
	char path[] = "/tmp/wk-test-XXXXXX";
	struct wk_udp_proxy_options options = { 0 };
	const struct wk_field wrong = {
		wk_str_of("proxy-authorization"), wk_str_of("Bearer no"),
	}, right = {
		wk_str_of("authorization"), wk_str_of("Bearer yes"),
	};
	struct wk_access_auth *auth;
	struct wk_error error;
	struct scene sc;
	int fd = mkstemp(path), i;

	(void)state;
	assert_int_equal(write(fd, "bearer yes\n", 11), 11);
	close(fd);
	auth = wk_access_auth_load(path, &error);
	unlink(path);
	options.auth = auth;
	for (i = 0; i < 3; i++) {
		scene_init(&sc, &options, true);
		ask(&sc, "connect-udp", "CONNECT", path_to(sc.port),
		    i == 0 ? NULL : i == 1 ? &wrong : &right);
		if (sc.fake.answer[0] == '\0')
			scene_run(&sc);
		assert_string_equal(sc.fake.answer, i == 0 ?
		    "401|www-authenticate: Basic realm=\"test\", "
		    "Bearer realm=\"test\"" : i == 1 ?
		    "407|proxy-authenticate: Basic realm=\"test\", "
		    "Bearer realm=\"test\"" :
		    "200 open|capsule-protocol: ?1|"
		    "proxy-status: test; next-hop=\"127.0.0.1\"");
		fake_close(&sc.fake);
		scene_free(&sc);
	}
	wk_access_auth_del(auth);
}

static void
test_bad_templates(void **state)
{
	static const char *const bad[] = {
		"/{target_host}", "/{target_port}", "{target_host}",
		"/{target_host}{target_port}", "/{target_host",
	};
	struct wk_udp_proxy_options options = { .name = "test" };
	struct wk_loop *loop = wk_loop_new();
	struct wk_error error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		options.path = bad[i];
		if (wk_udp_proxy_new(loop, &options, &error) != NULL)
			fail_msg("%s was taken", bad[i]);
	}
	wk_loop_del(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_early_datagrams_are_dropped_whole),
		cmocka_unit_test(test_clients_that_end_before_the_answer),
		cmocka_unit_test(test_others_packets_stay_out),
		cmocka_unit_test(test_full_queue_drops),
		cmocka_unit_test(test_refused_target),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_deleted_first),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_content_is_malformed),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_credentials_first),
		cmocka_unit_test(test_bad_templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The running proxy, as its parts see each other. One thread accepts clients
 * and minds signals (proxy.c); workers do the rest, each with its own clients,
 * its own connections to the backends, its own memory. A request is born in
 * client.c, led by handler.c, carried by server.c, and dies in client.c.
 *
 * The parts stand on floors, as declared below from the ground up, and call
 * only what is below them; see flow.c for how answers come up.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/mcproxy/block.h"
#include "cmd/mcproxy/channel.h"
#include "cmd/mcproxy/conf.h"
#include "cmd/mcproxy/request.h"
#include "cmd/mcproxy/response.h"
#include "cmd/mcproxy/tally.h"
#include "common/net/sock.h"

#define WORKERS_MAX 64
#define COUNTERS_MAX 256	/* of the user's */
#define BUCKETS_MAX 64		/* of tokens, for rate limits */
#define STREAM_MIN 32768	/* longer values go out as they come in */
#define WINDOW_MAX 1024		/* requests of one client at once */
#define WINDOW_START 16		/* and one more for each answer */
#define BACKEND_FAILURE "SERVER_ERROR backend failure"

struct worker;
struct client;
struct server;
struct task;

/* What an epoll event points to. */
enum source_kind {
	SOURCE_WAKE,
	SOURCE_CLIENT,
	SOURCE_SERVER,
};

struct source {
	enum source_kind kind;
	int fd;
};

/* --- answers and requests ------------------------------------------------- */

struct answer {
	struct chain data;	/* as the backend sent it, or */
	const char *text;	/* a line of ours without its end */
	enum response_class class;
	uint16_t key_at;	/* where the trimmed prefix belongs; 0: nowhere */
	uint16_t backend;	/* number + 1 of whose it is; 0: ours */
	bool is_nominal;
	bool is_lost;		/* no answer came, but it may have been done */
};

struct sub {			/* one request to one backend */
	struct sub *next;	/* behind it on the connection */
	struct sub *next_done;	/* behind it among those that are done */
	struct request_state *request;
	struct task *task;	/* who wants the answer; NULL: the request */
	struct answer answer;
	uint64_t since_ns;
	int64_t ttl;
	enum response_kind kind;
	unsigned child;		/* which of the task's */
	unsigned pool;		/* its tally */
	uint16_t backend;	/* number + 1 */
	bool has_ttl;
	bool ends_group;	/* END belongs to this one */
	bool is_answered;	/* whatever still comes is thrown away */
	bool has_value;		/* of a read: its VALUE was seen */
	bool is_own;		/* allocated, not part of its request */
	bool is_sent;		/* or will be at the end of this turn */
	bool is_queued, is_listed; /* on a connection; among the done */
};

struct request_state {
	struct request_state *next;	/* behind it from this client */
	struct request_state *next_reloading;
	struct client *client;		/* NULL: gone */
	struct held *held;		/* the configuration it runs under */
	struct block *block;		/* where key and rest lie */
	const char *key, *rest;
	size_t key_len, rest_len, quiet_at, ttl_at, ttl_len;
	size_t trim;
	int64_t exptime;
	uint64_t since_ns;
	uint64_t promised;	/* octets of long values in the answer */
	uint64_t reload;	/* which one it waits for */
	struct chain value;
	struct answer answer;
	struct sub sub;
	unsigned refs;
	unsigned tally;		/* of its route */
	enum command command;
	bool is_first, is_last, is_noreply, is_quiet, is_base64;
	bool is_once;		/* doing it twice is not the same */
	bool is_done;
	bool is_streaming;	/* parts of the answer are out already */
};

/* --- clients -------------------------------------------------------------- */

struct client {
	struct source source;
	struct channel channel;
	struct worker *worker;
	struct client *next, *previous;	/* of the worker */
	struct client *next_dirty, *next_again;
	struct request_state *head, *tail; /* in the order of the requests */
	struct request_state *gathering; /* waits for its value */
	struct request_reader reader;
	struct chain out;
	char *rest;			/* read, not yet understood */
	uint32_t rest_len;
	uint32_t n_requests;
	uint32_t window;		/* that may be under way at once */
	uint64_t promised;		/* long values on their way */
	uint8_t tag;			/* index into the proxy's listeners */
	bool is_known, is_dirty, is_full, is_paused, is_again;
	bool is_closing, is_dead, has_eof, has_failed, is_watching;
	bool is_left;			/* its end was announced */
};

/* --- backends ------------------------------------------------------------- */

enum server_state {
	SERVER_WAITING,		/* for the time to try again, or a name */
	SERVER_CONNECTING,
	SERVER_PROBING,		/* "version" is out */
	SERVER_UP,
};

struct server_counters {
	counter requests, errors, timeouts, connects;
	counter bytes_in, bytes_out, depth, state;
	struct latency latency[TALLY_CLASSES];
};

struct server {			/* one connection to a backend */
	struct source source;
	struct channel channel;
	struct worker *worker;
	struct backend *backend;
	struct server *next_dirty, *next_again;
	struct sub *head, *tail;	/* in the order of their answers */
	struct response_reader reader;
	struct chain out;
	struct block *block;		/* what out is written into */
	char *rest;
	size_t rest_len;
	unsigned depth, failures, flaps, address;
	enum server_state state;
	enum command group_command;	/* the open list of keys */
	int64_t group_exptime;
	unsigned group_keys;		/* 0: none is open */
	size_t group_len;
	uint64_t deadline_ns, read_ns, up_ns, probed_ns;
	const char *error;		/* why it was lost last */
	bool is_left;			/* its end was announced */
	bool is_used;			/* it was up, and may still be */
	bool is_dirty, is_full, is_again, is_closing, is_reading;
	struct server_counters count;
};

#define ADDRESSES_MAX 8
#define OUT_NS UINT64_MAX

struct address {
	struct sockaddr_storage at;
	socklen_t len;
};

struct backend {		/* shared by all workers, for the whole run */
	struct backend_conf conf;	/* texts are copies */
	unsigned id;
	_Atomic uint64_t hung_ns;	/* when somebody found it hung; 0: never */
	_Atomic uint64_t back_ns;	/* when it was up again; OUT_NS: not yet */
	_Atomic uint64_t bad_ns;	/* when the first was marked bad */
	_Atomic unsigned n_bad;		/* connections marked bad */
	_Atomic bool has_complained;	/* about TLS, since it last worked */
	_Atomic bool is_current;	/* part of the configuration in use */
	_Atomic bool is_held;		/* down by command */
	struct backend *namesake;	/* older, of the same label; or NULL */
	_Atomic bool has_newer;		/* one whose namesake this is */
	pthread_mutex_t lock;		/* of the addresses */
	struct address addresses[ADDRESSES_MAX];
	unsigned n_addresses;
	bool is_name, wants_lookup;
};

/* --- handlers ------------------------------------------------------------- */

struct task {			/* a route with several children at work */
	struct task *parent;
	unsigned child;			/* which of the parent's */
	struct request_state *request;
	const struct route *route;
	struct answer best;
	struct task *next_waiting, *previous_waiting;
	uint64_t deadline_ns;		/* 0: none */
	unsigned next, pending, refs;	/* next with allsync: whose is best */
	unsigned offset;		/* shuffled: where the order begins */
	int64_t ttl;
	bool has_ttl, has_best, is_answered, is_waiting;
};

/* --- workers -------------------------------------------------------------- */

struct generation {		/* a configuration in use */
	struct conf *conf;
	_Atomic unsigned refs;
	size_t counters[COUNTERS_MAX];	/* of the configuration's, in the proxy */
};

struct held {			/* a generation, as one worker holds it */
	struct generation *generation;
	struct held *next;
	const struct router **routers;	/* by listener */
	size_t n_requests;
};

struct worker_counters {
	counter commands[COMMANDS_ROUTED];
	counter user[COUNTERS_MAX];
	counter clients, clients_total, requests_active, request_errors;
	counter memory, multiget_failed, no_route, out_of_memory;
	counter depth_failed, backends_failed;
};

struct worker {
	struct proxy *proxy;
	pthread_t thread;
	unsigned number;
	int epoll_fd;
	struct source wake;
	struct store store;
	struct held *held, *retired;
	_Atomic(struct generation *) adopted;	/* for the main thread */
	struct client *clients, *dirty_clients, *dead_clients, *again_clients;
	struct server *dirty_servers, *again_servers;
	struct sub *done_head, *done_tail;
	struct server **_Atomic servers[CONF_BACKENDS_MAX]; /* by backend */
	struct tally *_Atomic tallies[TALLIES_MAX];
	struct request_state *reloading; /* wait for a configuration */
	struct request_state *free_requests;
	struct sub *free_subs;
	struct task *free_tasks, *waiting;
	size_t n_clients, n_active, n_watchers;
	uint64_t now_ns, next_ns;	/* the time; when to look at deadlines */
	uint64_t random;
	unsigned luck, turns;		/* with looking again */
	bool is_stopping;
	struct worker_counters count;
};

struct listener {
	int fd;
	char tag[ROUTER_TAG_MAX + 1];
	struct wk_address address;
	const char *path;		/* of a unix socket, to be removed */
	bool is_secure;			/* its clients speak TLS */
	bool is_admin;			/* its clients may administer */
};

#define LISTENERS_MAX 32

enum multiget_errors {
	MULTIGET_MISS,
	MULTIGET_INLINE,
	MULTIGET_FAIL,
};

struct proxy_options {
	uint64_t threads, max_value, max_clients, client_buffer, memory_limit;
	uint64_t idle_ping_ns, drain_ns;
	int multiget_errors;
	bool answers_stored_key, allows_flush;
	const char *cert, *key, *client_ca;	/* towards clients */
	const char *cacert, *backend_cert, *backend_key; /* to backends */
	bool is_insecure;
};

struct proxy {
	struct proxy_options options;
	_Atomic(struct generation *) current;
	struct worker *workers[WORKERS_MAX];
	size_t n_workers;
	struct listener listeners[LISTENERS_MAX];
	size_t n_listeners;
	struct backend *backends[CONF_BACKENDS_MAX];
	_Atomic size_t n_backends;
	struct tally_name *tallies[TALLIES_MAX];
	_Atomic size_t n_tallies;	/* with the unused first; 0: none yet */
	_Atomic size_t n_clients;
	char counters[COUNTERS_MAX][96];
	_Atomic size_t n_counters;
	_Atomic uint64_t buckets[BUCKETS_MAX], bucket_ns[BUCKETS_MAX];
	pthread_mutex_t tls_lock;	/* of the next two */
	struct wk_tls_credentials *tls_clients, *tls_backends;
	pthread_mutex_t reload_lock;	/* of the next three */
	uint64_t reloads_begun, reloads_done;
	char reload_reason[1024];	/* why the last one failed; "": it did not */
	counter reloads, reload_fails, clients_refused;
	/* Of the current configuration, for whoever asks. */
	counter request_limit, functions[ROUTE_KINDS + 1];
	_Atomic int stop;		/* 1: drain, 2: at once */
	uint64_t started_ns;
	pthread_t resolver;
	pthread_mutex_t resolver_lock;
	pthread_cond_t resolver_wake;
	bool has_resolver, resolver_stops;
};

/* --- the ground: listen.c ------------------------------------------------- */

#define LISTEN_ADDRESSES_MAX 2	/* of *:PORT */

struct listening {
	int fd;
	struct wk_address address;	/* bound, with the kernel's port */
};

/* "[TAG@]ADDRESS": where the address starts; an error: it is no tag. */
int listen_split(const char *text, const char **address,
    struct wk_error *error);

/* Can it be an address to listen on? Names are not looked up for that. */
int listen_check(const char *text, struct wk_error *error);

/*
 * Sockets for ADDR:PORT, PORT, *:PORT (both families) or unix:PATH, with or
 * without a tag. How many, or a negative status and the reason.
 */
int listen_on(const char *text, struct listening out[LISTEN_ADDRESSES_MAX],
    char *reason, size_t size);

/* --- secure.c: certificates ----------------------------------------------- */

/* Those that listeners and configuration need take the place of the old. */
int secure_load(struct proxy *p, const struct conf *c, char *reason,
    size_t size);
/* Begin TLS towards a client, or a backend of this name. */
int secure_channel(struct proxy *p, struct channel *c, int fd,
    const char *name, struct wk_error *error);
void secure_free(struct proxy *p);

/* --- backend.c ------------------------------------------------------------ */

struct backend *backend_find(struct proxy *p, const struct backend_conf *c);
bool backend_address(struct proxy *p, struct backend *b, unsigned number,
    struct address *out);
void backend_lookup(struct proxy *p, struct backend *b);
bool resolver_start(struct proxy *p);
void resolver_stop(struct proxy *p);
void backend_del(struct backend *b);
/* Which of them the configuration names, for whoever looks. */
void backend_mark_current(struct proxy *p, const struct conf *c);

/* --- flow.c: requests, subs, answers -------------------------------------- */

uint64_t worker_random(struct worker *w);

/* From any thread: let it take another turn. */
static inline void
worker_wake(struct worker *w)
{
	uint64_t one = 1;

	/* A full counter is as readable as it can be. */
	if (write(w->wake.fd, &one, sizeof(one)) < 0)
		return;
}

/* Look at deadlines no later than this. */
static inline void
worker_at(struct worker *w, uint64_t when_ns)
{
	if (when_ns < w->next_ns)
		w->next_ns = when_ns;
}

void answer_clear(struct worker *w, struct answer *a);

/* Not in any client's line yet; NULL when out of memory. */
struct request_state *request_alloc(struct worker *w, const struct request *q,
    struct block *b);
void request_unref(struct worker *w, struct request_state *r);
/* The answer is there; takes what answer holds. */
void request_finish(struct worker *w, struct request_state *r,
    struct answer *a);
/* The same with a text that is no static one. */
void request_text(struct worker *w, struct request_state *r, const char *text,
    size_t len);
/* May its client have so much more waiting for it? If so, it counts. */
bool request_has_room(struct request_state *r, uint64_t len);
/* There is something to get for this client: see to it in this turn. */
void client_touch(struct client *c);

/* Holds a reference to the request; not own: the one that is part of it. */
struct sub *sub_new(struct worker *w, struct request_state *r, bool is_own);
/* Its answer is there, or one of ours instead; whoever asked gets it soon. */
void sub_done(struct worker *w, struct sub *s);
void sub_fail(struct worker *w, struct sub *s, const char *text);
/* The first that is done, or NULL; and when its answer was taken. */
struct sub *sub_take_done(struct worker *w);
void sub_settled(struct worker *w, struct sub *s);
/* No connection has it any more. */
void sub_unqueued(struct worker *w, struct sub *s);

/* --- command.c: a request as a backend shall see it ----------------------- */

bool command_write(struct server *s, struct sub *sub);

/* --- stats.c, prometheus.c ------------------------------------------------ */

struct wk_buf;
/* A configuration was loaded, or, with a reason, was not. */
void stats_loaded(const char *reason);
void stats_text(struct proxy *p, const char *what, size_t len,
    struct wk_buf *out);
void stats_prometheus(struct proxy *p, struct wk_buf *out);

/* --- server.c, and above it server_read.c --------------------------------- */

void server_submit(struct worker *w, unsigned backend, struct sub *s);
/* Nobody should be sent there: it is bad, or was until so long ago. */
bool server_is_out(struct worker *w, unsigned backend, uint64_t failback_ns);
void server_flush(struct server *s);
void server_timers(struct worker *w);
/* Connections for every backend of the configuration, and for no other. */
void server_adopt(struct worker *w, const struct conf *c);
void server_close_all(struct worker *w);

void server_event(struct server *s, uint32_t events);
void server_read(struct server *s);

/* --- bucket.c: rate limits ------------------------------------------------ */

/* A token of the route's bucket, which is filled as time goes by. */
bool bucket_take(struct worker *w, const struct route *route);

/* --- handler.c: routes ---------------------------------------------------- */

void handler_start(struct worker *w, struct request_state *r,
    const struct route *route);
/* Take the answers of all subs that are done; some may ask others then. */
void handler_settle(struct worker *w);
void handler_timers(struct worker *w);

/* --- local.c: what the proxy answers itself ------------------------------- */

void local_answer(struct client *c, struct request_state *r,
    const struct request *q);
/* Those who asked for a reload that is done by now; with a text: all. */
void local_settle(struct worker *w, const char *text);

/* --- client.c ------------------------------------------------------------- */

void client_new(struct worker *w, int fd, uint8_t listener);
void client_event(struct client *c, uint32_t events);
void client_feed(struct client *c);
/* Answers that are ready go out, in order, as far as the socket takes them. */
void client_flush(struct client *c);
void client_close(struct client *c);
/* No more requests of this client; it goes when all is answered. */
void client_drain(struct client *c);

/* --- worker.c: the turn --------------------------------------------------- */

/* On WK_OK it is p->workers[number]. */
int worker_new(struct proxy *p, unsigned number);
/* Wait at most so many milliseconds for something to do (-1: for ever). */
void worker_turn(struct worker *w, int wait);
/* The same with a thread that turns it until the proxy stops. */
int worker_start(struct proxy *p, unsigned number);
void worker_del(struct worker *w);

/* --- metrics.c: Prometheus text over HTTP, on a thread of its own --------- */

int metrics_listen(const char *address, char *reason, size_t size);
/* What they are bound to; none without the call above. */
const struct listening *metrics_addresses(size_t *n);
int metrics_start(struct proxy *p, char *reason, size_t size);
void metrics_stop(void);

/* --- proxy.c -------------------------------------------------------------- */

/* Zeroed storage; before everything else. */
void proxy_init(struct proxy *p, const struct proxy_options *o);
int proxy_install(struct proxy *p, struct conf *c, char *reason, size_t size);
int proxy_listen(struct proxy *p, const char *address, bool is_secure,
    char *reason, size_t size);
/* One for administration: a unix socket or a loopback address. */
int proxy_listen_admin(struct proxy *p, const char *address, char *reason,
    size_t size);
int proxy_run(struct proxy *p, struct conf *(*reload)(char *reason));

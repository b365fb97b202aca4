/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cmd/h3dgram/child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/cli/diag.h"
#include "common/cli/framing.h"
#include "common/cli/out.h"
#include "common/net/stdstream.h"

extern char **environ;

#define READ_SIZE (64 * 1024)
#define UNREAD_MAX (1024 * 1024)
#define PATIENCE_NS (2 * WK_NS_PER_SEC)	/* between asking and telling */
#define VARIABLES_MAX 8

struct child {
	struct children *all;
	struct wk_stream *stream;	/* NULL: over */
	char name[WK_ADDRESS_TEXT_MAX + 32];
	pid_t pid;
	struct wk_io exited;		/* a pidfd; fd -1: was reaped */
	struct wk_timer timer;
	struct wk_stdin out;		/* of the command */
	struct wk_stdout in;
	int in_fd, out_fd;		/* -1: closed */
	bool is_closing;		/* its input, when all is written */
	struct wk_framing_reader reader;
	struct wk_framing_writer writer;
	struct wk_buf held, rest;	/* not taken by the stream yet */
	bool is_holding, has_output_ended;
	struct child *prev, *next;
};

/* --- its input ------------------------------------------------------------ */

static void
close_input(struct child *c)
{
	if (c->in_fd < 0)
		return;
	wk_stdout_free(&c->in);
	close(c->in_fd);
	c->in_fd = -1;
}

static void
on_drained(void *arg, size_t octets)
{
	struct child *c = arg;

	(void)octets;
	if (c->is_closing && wk_stdout_pending(&c->in) == 0)
		close_input(c);
}

/* It may well be done with its input and not with its output. */
static void
on_failed(void *arg, int error_number)
{
	(void)error_number;
	close_input(arg);
}

/* What is not taken is lost: datagrams may be. */
static int
take(void *arg, const void *data, size_t len)
{
	struct child *c = arg;

	if (c->in_fd >= 0 && wk_stdout_write(&c->in, data, len) != WK_OK)
		c->all->dropped++;
	return 0;
}

void
child_datagram(struct child *c, const uint8_t *data, size_t len)
{
	struct wk_framing_datagram d;
	struct wk_datagram datagram;

	if (!datagrams_take(c->all->datagrams, c->stream, data, len,
	    &datagram))
		return;
	if (c->in_fd < 0 || c->is_closing ||
	    wk_stdout_pending(&c->in) + len > UNREAD_MAX / 2) {
		c->all->dropped++;
		return;
	}
	d = (struct wk_framing_datagram){
		.data = datagram.payload, .len = datagram.payload_len,
		.has_context = !c->all->opt->has_no_context,
		.context_id = datagram.context_id,
	};
	/* The framings write to the result stream; ours is flushed. */
	wk_out_divert(take, c);
	if (wk_framing_write(&c->writer, &d) != WK_OK)
		c->all->dropped++;
	wk_out_flush();
	wk_out_divert(NULL, NULL);
}

void
child_input_ended(struct child *c)
{
	c->is_closing = true;
	if (c->in_fd >= 0 && wk_stdout_pending(&c->in) == 0)
		close_input(c);
}

/* --- its output ----------------------------------------------------------- */

static void
close_output(struct child *c)
{
	if (c->out_fd < 0)
		return;
	wk_stdin_free(&c->out);
	close(c->out_fd);
	c->out_fd = -1;
}

/* False: the next must wait. */
static bool
send_one(struct child *c, const struct wk_framing_datagram *d)
{
	uint64_t id = d->has_context ? d->context_id : c->all->opt->context_id;

	switch (datagrams_send(c->all->datagrams, c->stream, id, d->data,
	    d->len)) {
	case DATAGRAMS_SENT:
	case DATAGRAMS_DROPPED:
		return true;
	case DATAGRAMS_BLOCKED:
		/* Of any context but ours only NDJSON can be, and is lost. */
		wk_buf_clear(&c->held);
		c->is_holding = id == c->all->opt->context_id &&
		    wk_buf_append(&c->held, d->data, d->len) == WK_OK;
		if (c->is_holding)
			wk_stdin_hold(&c->out);
		return !c->is_holding;
	case DATAGRAMS_FAILED:
		wk_stream_reset(c->stream, WK_STREAM_CANCEL, "too big");
		break;
	case DATAGRAMS_CLOSED:
		break;
	}
	return true;
}

static void
on_output(void *arg, const uint8_t *data, size_t len)
{
	struct child *c = arg;
	struct wk_framing_datagram d;
	int event;

	while (c->stream != NULL && (event = wk_framing_read(&c->reader, &data,
	    &len, &d)) != WK_FRAMING_MORE) {
		if (event < 0)
			wk_framing_warn(c->name, &c->reader);
		else if (!send_one(c, &d))
			break;
	}
	if (c->is_holding && len > 0)
		wk_buf_append(&c->rest, data, len);
}

static void
finish_output(struct child *c)
{
	struct wk_framing_datagram d;
	int event;

	while (c->stream != NULL && (event = wk_framing_finish(&c->reader,
	    &d)) != WK_FRAMING_MORE) {
		if (event < 0)
			wk_framing_warn(c->name, &c->reader);
		else if (!send_one(c, &d))
			return;
	}
	if (c->stream != NULL)
		wk_stream_finish(c->stream);
}

static void
on_output_end(void *arg, int error_number)
{
	struct child *c = arg;

	(void)error_number;
	c->has_output_ended = true;
	if (!c->is_holding)
		finish_output(c);
}

void
child_writable(struct child *c)
{
	const struct wk_framing_datagram d = {
		.data = c->held.data, .len = c->held.len,
	};
	struct wk_buf rest = c->rest, held = c->held;

	if (!c->is_holding)
		return;
	c->is_holding = false;
	wk_buf_init(&c->held, SIZE_MAX);
	wk_buf_init(&c->rest, SIZE_MAX);
	if (send_one(c, &d))
		on_output(c, rest.data, rest.len);
	else
		wk_buf_append(&c->rest, rest.data, rest.len);
	wk_buf_free(&held);
	wk_buf_free(&rest);
	if (c->is_holding)
		return;
	if (c->has_output_ended)
		finish_output(c);
	else
		wk_stdin_release(&c->out);
}

/* --- its life ------------------------------------------------------------- */

static void
child_del(struct child *c)
{
	struct children *all = c->all;

	wk_timer_set(&c->timer, WK_NEVER);
	close_input(c);
	close_output(c);
	wk_framing_reader_free(&c->reader);
	wk_buf_free(&c->held);
	wk_buf_free(&c->rest);
	if (all->first == c)
		all->first = c->next;
	else
		c->prev->next = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	free(c);
}

static void
reap(struct child *c)
{
	int status = 0;

	if (waitpid(c->pid, &status, 0) != c->pid)
		return;
	wk_io_watch(&c->exited, 0);
	close(c->exited.fd);
	c->exited.fd = -1;
	if (WIFEXITED(status))
		wk_verbose(1, "%s: the command has ended with code %d",
		    c->name, WEXITSTATUS(status));
	else
		wk_verbose(1, "%s: the command has ended by signal %d",
		    c->name, WTERMSIG(status));
	c->all->n_failed += status != 0;
}

/* Its output may still be in the pipe, or with a child of its own. */
static void
on_exited(struct wk_io *io, unsigned events)
{
	struct child *c = io->arg;

	(void)events;
	reap(c);
	close_input(c);
	if (c->stream == NULL && c->exited.fd < 0)
		child_del(c);
}

/* All of its group: it may have started others. */
static void
on_timer(struct wk_timer *timer)
{
	struct child *c = timer->arg;

	if (c->exited.fd >= 0)
		kill(-c->pid, SIGKILL);
}

void
child_leave(struct child *c)
{
	c->stream = NULL;
	close_input(c);
	close_output(c);
	if (c->exited.fd < 0) {
		child_del(c);
		return;
	}
	kill(-c->pid, SIGTERM);
	wk_timer_set(&c->timer, wk_loop_now_ns(c->all->loop) + PATIENCE_NS);
}

void
children_finish(struct children *all)
{
	struct child *c, *next;
	struct pollfd p;

	for (c = all->first; c != NULL; c = next) {
		next = c->next;
		p = (struct pollfd){ .fd = c->exited.fd, .events = POLLIN };
		if (poll(&p, 1, (int)(PATIENCE_NS / 1000000)) <= 0)
			kill(-c->pid, SIGKILL);
		reap(c);
		child_del(c);
	}
}

/* --- its beginning -------------------------------------------------------- */

/* "NAME=value", with what came from the wire as it is but without NUL. */
static void
variable(char *const *end, char ***at, const char *name, struct wk_str value)
{
	char *text;

	if (*at == end)
		return;
	text = malloc(strlen(name) + value.len + 2);
	if (text == NULL)
		return;
	sprintf(text, "%s=%.*s", name, (int)value.len, value.at);
	*(*at)++ = text;
}

/* Ours, then those of our own environment; NULL without memory. */
static char **
environment(const struct child *c, const struct wk_message *m, size_t *n_ours)
{
	char **vars, **at, peer[WK_ADDRESS_TEXT_MAX], number[24];
	size_t n;

	for (n = 0; environ[n] != NULL; n++)
		;
	vars = calloc(n + VARIABLES_MAX + 1, sizeof(*vars));
	if (vars == NULL)
		return NULL;
	at = vars;
	variable(vars + VARIABLES_MAX, &at, "H3DGRAM_PEER", wk_str_of(
	    wk_address_text(wk_server_peer(c->stream), peer)));
	variable(vars + VARIABLES_MAX, &at, "H3DGRAM_VERSION", wk_str_of(
	    wk_http_version_text(wk_stream_version(c->stream))));
	snprintf(number, sizeof(number), "%" PRIu64, wk_stream_id(c->stream));
	variable(vars + VARIABLES_MAX, &at, "H3DGRAM_STREAM",
	    wk_str_of(number));
	variable(vars + VARIABLES_MAX, &at, "H3DGRAM_PROTOCOL", m->protocol);
	variable(vars + VARIABLES_MAX, &at, "H3DGRAM_AUTHORITY", m->authority);
	variable(vars + VARIABLES_MAX, &at, "H3DGRAM_PATH", m->path);
	*n_ours = (size_t)(at - vars);
	memcpy(at, environ, n * sizeof(*vars));
	return vars;
}

/* With the signals as they are for everybody, in a group of its own. */
static int
spawn(struct child *c, const struct wk_message *m, int in, int out)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t set;
	size_t n_ours = 0, i;
	char **vars = environment(c, m, &n_ours);
	int rc;

	if (vars == NULL)
		return ENOMEM;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	sigfillset(&set);
	posix_spawnattr_setsigdefault(&attributes, &set);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
	    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	rc = posix_spawnp(&c->pid, c->all->opt->command[0], &actions,
	    &attributes, c->all->opt->command, vars);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	for (i = 0; i < n_ours; i++)
		free(vars[i]);
	free(vars);
	return rc;
}

static int
start(struct child *c, const struct wk_message *m)
{
	int in[2], out[2], fd, rc;

	if (pipe2(in, O_CLOEXEC) < 0)
		return errno;
	if (pipe2(out, O_CLOEXEC) < 0) {
		rc = errno;
		close(in[0]);
		close(in[1]);
		return rc;
	}
	rc = spawn(c, m, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	c->in_fd = in[1];
	c->out_fd = out[0];
	if (rc == 0) {
		fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
		if (fd >= 0) {
			c->exited.fd = fd;
			return 0;
		}
		rc = errno;
		kill(-c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	close(in[1]);
	close(out[0]);
	return rc;
}

struct child *
child_begin(struct children *all, struct wk_stream *s,
    const struct wk_message *request)
{
	const struct options *opt = all->opt;
	bool is_raw = opt->framing_in == WK_FRAMING_RAW;
	struct child *c = calloc(1, sizeof(*c));
	char peer[WK_ADDRESS_TEXT_MAX];
	int rc = ENOMEM;

	if (c == NULL)
		return NULL;
	c->all = all;
	c->stream = s;
	c->exited.fd = c->in_fd = c->out_fd = -1;
	snprintf(c->name, sizeof(c->name), "%s stream %" PRIu64,
	    wk_address_text(wk_server_peer(s), peer), wk_stream_id(s));
	rc = start(c, request);
	if (rc != 0) {
		wk_warn_errno(rc, "%s", opt->command[0]);
		free(c);
		return NULL;
	}
	wk_buf_init(&c->held, SIZE_MAX);
	wk_buf_init(&c->rest, SIZE_MAX);
	wk_framing_reader_init(&c->reader, (enum wk_framing)opt->framing_in,
	    is_raw ? (size_t)opt->block_size : WK_DATAGRAM_UDP_MAX);
	wk_framing_writer_init(&c->writer, (enum wk_framing)opt->framing_out,
	    false);
	wk_io_init(&c->exited, all->loop, c->exited.fd, on_exited, c);
	wk_timer_init(&c->timer, all->loop, on_timer, c);
	c->next = all->first;
	if (c->next != NULL)
		c->next->prev = c;
	all->first = c;
	wk_stdout_init(&c->in, all->loop, c->in_fd, UNREAD_MAX, on_drained,
	    on_failed, c);
	if (wk_stdin_init(&c->out, all->loop, c->out_fd, is_raw ?
	    (size_t)opt->block_size : READ_SIZE, on_output, on_output_end,
	    c) != WK_OK) {
		close(c->out_fd);
		c->out_fd = -1;
		child_leave(c);
		return NULL;
	}
	wk_io_watch(&c->exited, WK_IO_READ);
	wk_stdin_release(&c->out);
	return c;
}

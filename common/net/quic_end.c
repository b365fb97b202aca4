/* SPDX-License-Identifier: MIT */
/* How connections end, and what is said about it to whom. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/net/quic_parts.h"

#define TLS_ALERT_FIRST 0x100	/* RFC 9000, section 20.1: CRYPTO_ERROR */
#define TLS_ALERT_LAST 0x1ff

static const char *
error_name(uint64_t code)
{
	static const struct {
		uint64_t code;
		const char *name;
	} names[] = {
		{ 0x00, "NO_ERROR" },
		{ 0x01, "INTERNAL_ERROR" },
		{ 0x02, "CONNECTION_REFUSED" },
		{ 0x03, "FLOW_CONTROL_ERROR" },
		{ 0x04, "STREAM_LIMIT_ERROR" },
		{ 0x05, "STREAM_STATE_ERROR" },
		{ 0x06, "FINAL_SIZE_ERROR" },
		{ 0x07, "FRAME_ENCODING_ERROR" },
		{ 0x08, "TRANSPORT_PARAMETER_ERROR" },
		{ 0x09, "CONNECTION_ID_LIMIT_ERROR" },
		{ 0x0a, "PROTOCOL_VIOLATION" },
		{ 0x0b, "INVALID_TOKEN" },
		{ 0x0c, "APPLICATION_ERROR" },
		{ 0x0d, "CRYPTO_BUFFER_EXCEEDED" },
		{ 0x0e, "KEY_UPDATE_ERROR" },
		{ 0x0f, "AEAD_LIMIT_REACHED" },
		{ 0x10, "NO_VIABLE_PATH" },
		{ 0x11, "VERSION_NEGOTIATION_ERROR" },
		{ 0x53f8, "VERSION_NEGOTIATION_ERROR" },	/* of drafts */
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == code)
			return names[i].name;
	return "unknown error";
}

static bool
means_no_error(uint64_t code)
{
	return code == 0 || code == WK_QUIC_NO_ERROR;
}

void
quic_fail(struct wk_quic *q, enum quic_fate fate, const char *format, ...)
{
	va_list ap;

	if (q->fate != QUIC_FATE_NONE)
		return;
	q->fate = fate;
	va_start(ap, format);
	if (vasprintf(&q->reason, format, ap) < 0)
		q->reason = strdup("out of memory");
	va_end(ap);
	quic_wake(q);
}

void
quic_fail_application(struct wk_quic *q, uint64_t code, const char *reason,
    bool is_by_session)
{
	if (!quic_is_alive(q))
		return;
	if (reason != NULL && *reason == '\0')
		reason = NULL;
	q->close_text = reason == NULL ? NULL : strdup(reason);
	quic_ccerr_application(&q->close_error, code,
	    (uint8_t *)q->close_text,
	    q->close_text == NULL ? 0 : strlen(q->close_text));
	q->fate = QUIC_FATE_CLOSE;
	q->is_protocol = is_by_session && !means_no_error(code);
	if (is_by_session)
		q->is_session_over = true;
	if (!means_no_error(code) || !is_by_session)
		q->reason = strdup(reason != NULL ? reason :
		    "the connection was given up");
	quic_wake(q);
}

static void
fail_idle(struct wk_quic *q)
{
	uint64_t ours = q->endpoint->options.idle_timeout_ns, theirs = 0;
	const ngtcp2_transport_params *params;

	params = ngtcp2_conn_get_remote_transport_params(q->conn);
	if (params != NULL)
		theirs = params->max_idle_timeout;
	if (ours == 0 || (theirs != 0 && theirs < ours))
		ours = theirs;
	quic_fail(q, QUIC_FATE_VANISH, "nothing came from the peer for %g s",
	    (double)ours / (double)WK_NS_PER_SEC);
}

void
quic_fail_library(struct wk_quic *q, int code)
{
	uint64_t quic_code;

	if (q->fate != QUIC_FATE_NONE)
		return;
	switch (code) {
	case NGTCP2_ERR_DRAINING:
		quic_closed_by_peer(q);
		return;
	case NGTCP2_ERR_CRYPTO:
		quic_tls_fail(q);
		return;
	case NGTCP2_ERR_IDLE_CLOSE:
		fail_idle(q);
		return;
	case NGTCP2_ERR_DROP_CONN:
		quic_fail(q, QUIC_FATE_VANISH, "the first packet is of no use");
		return;
	case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
		quic_ccerr_transport(&q->close_error, NGTCP2_NO_ERROR, NULL, 0);
		quic_fail(q, QUIC_FATE_CLOSE, "the handshake took too long");
		return;
	case NGTCP2_ERR_NOMEM:
		quic_ccerr_library(&q->close_error, code, NULL, 0);
		quic_fail(q, QUIC_FATE_CLOSE, "out of memory");
		return;
	default:
		break;
	}
	quic_ccerr_library(&q->close_error, code, NULL, 0);
	quic_code = ngtcp2_err_infer_quic_transport_error_code(code);
	q->is_protocol = quic_code != NGTCP2_INTERNAL_ERROR;
	quic_fail(q, QUIC_FATE_CLOSE, q->is_protocol ?
	    "the peer broke QUIC: %s (%s)" : "QUIC failed: %s (%s)",
	    error_name(quic_code), ngtcp2_strerror(code));
}

/* Their reason phrase is theirs, and perhaps not text at all. */
static void
append_phrase(struct wk_buf *b, const quic_ccerr *error)
{
	if (error->reasonlen == 0)
		return;
	wk_buf_printf(b, ": \"");
	wk_text_escape(b, error->reason, error->reasonlen, '"');
	wk_buf_printf(b, "\"");
}

static void
describe_close(struct wk_quic *q, const quic_ccerr *error, struct wk_buf *b)
{
	uint64_t code = error->error_code;

	if (quic_ccerr_is_application(error))
		wk_buf_printf(b, "peer closed the connection with the "
		    "application error 0x%llx", (unsigned long long)code);
	else if (code >= TLS_ALERT_FIRST && code <= TLS_ALERT_LAST)
		wk_buf_printf(b, "peer sent the TLS alert %u, %s",
		    (unsigned)(code - TLS_ALERT_FIRST),
		    wk_tls_alert_text((unsigned)(code - TLS_ALERT_FIRST)));
	else
		wk_buf_printf(b, "peer closed the connection%s with %s "
		    "(0x%llx)", q->state == QUIC_HANDSHAKE ?
		    " during the handshake" : "", error_name(code),
		    (unsigned long long)code);
	append_phrase(b, error);
}

void
quic_closed_by_peer(struct wk_quic *q)
{
	quic_ccerr error;
	struct wk_buf b;

	quic_ccerr_of_peer(q->conn, &error);
	q->is_application = quic_ccerr_is_application(&error);
	q->code = error.error_code;
	q->is_clean = q->state == QUIC_OPEN && (q->is_application ?
	    means_no_error(q->code) : q->code == NGTCP2_NO_ERROR);
	wk_buf_init(&b, 8192);
	describe_close(q, &error, &b);
	quic_fail(q, QUIC_FATE_DRAIN, "%.*s", (int)b.len,
	    b.data == NULL ? "" : (const char *)b.data);
	wk_buf_free(&b);
}

/* --- following it --------------------------------------------------------- */

void
quic_tell_session(struct wk_quic *q)
{
	const struct wk_transport_handler *handler = quic_session(q);

	if (handler == NULL)
		return;
	if (!q->has_entered) {
		q->has_entered = true;
		handler->enter(q->transport.arg, wk_clock_now_ns());
	}
	q->is_session_over = true;
	handler->closed(q->transport.arg, q->is_application, q->code,
	    q->is_clean, q->reason != NULL ? q->reason :
	    "the connection was given up");
}

void
quic_follow_fate(struct wk_quic *q)
{
	struct wk_quic_endpoint *endpoint = q->endpoint;

	if (q->fate == QUIC_FATE_NONE || q->is_deleted ||
	    q->state > QUIC_OPEN)
		return;
	if (q->fate == QUIC_FATE_CLOSE)
		quic_send_close(q);
	quic_tell_session(q);
	quic_session_leave(q);
	if (!q->is_deleted && q->was_opened)
		endpoint->handler->closed(q, q->is_protocol,
		    q->is_clean ? NULL : q->reason);
	else if (!q->is_deleted)
		quic_note(q, "handshake failed: %s", q->reason);
	quic_bury(q);
}

/*
 * The owner has forgotten it. A server keeps what it takes to answer late
 * packets for three probe timeouts (RFC 9000, section 10.2).
 */
void
quic_bury(struct wk_quic *q)
{
	struct wk_quic_endpoint *endpoint = q->endpoint;
	uint64_t pto_ns = q->conn == NULL ? 0 : ngtcp2_conn_get_pto(q->conn);
	bool is_kept = q->is_server && !endpoint->is_deleted &&
	    q->fate != QUIC_FATE_VANISH &&
	    endpoint->n_over < endpoint->options.max_connections;

	if (q->is_counted)
		endpoint->counters.handshakes--;
	endpoint->counters.connections--;
	q->is_counted = false;
	q->is_deleted = true;
	wk_task_cancel(&q->task);
	quic_streams_free(q);
	quic_queue_free(&q->datagrams);
	if (q->conn != NULL)
		ngtcp2_conn_del(q->conn);
	q->conn = NULL;
	quic_tls_del(q);
	quic_qlog_close(q);
	free(q->description);
	q->description = NULL;
	if (!is_kept) {
		q->state = QUIC_DEAD;
		wk_timer_set(&q->timer, WK_NEVER);
		return;
	}
	q->state = q->fate == QUIC_FATE_DRAIN ? QUIC_DRAINING : QUIC_CLOSING;
	endpoint->n_over++;
	wk_timer_set(&q->timer, wk_clock_now_ns() + 3 * pto_ns);
}

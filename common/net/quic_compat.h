/* SPDX-License-Identifier: MIT */
/*
 * ngtcp2 renamed much between 0.12 and 1.0 and added a little after it; what
 * QUIC needs of either stands here under one name, and nobody else asks for
 * the version. Both generations keep what is not mentioned as it is.
 */
#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/unconst.h"

/* --- why a connection ends (0.15) ----------------------------------------- */

#if NGTCP2_VERSION_NUM >= 0x000f00

typedef ngtcp2_ccerr quic_ccerr;

#define quic_ccerr_default ngtcp2_ccerr_default
#define quic_ccerr_application ngtcp2_ccerr_set_application_error
#define quic_ccerr_transport ngtcp2_ccerr_set_transport_error
#define quic_ccerr_library ngtcp2_ccerr_set_liberr
#define quic_ccerr_alert ngtcp2_ccerr_set_tls_alert

/* What the peer said; the reason is borrowed from conn. */
static inline void
quic_ccerr_of_peer(ngtcp2_conn *conn, quic_ccerr *error)
{
	*error = *ngtcp2_conn_get_ccerr(conn);
}

static inline bool
quic_ccerr_is_application(const quic_ccerr *error)
{
	return error->type == NGTCP2_CCERR_TYPE_APPLICATION;
}

#else

typedef ngtcp2_connection_close_error quic_ccerr;

#define quic_ccerr_default ngtcp2_connection_close_error_default
#define quic_ccerr_application \
	ngtcp2_connection_close_error_set_application_error
#define quic_ccerr_transport ngtcp2_connection_close_error_set_transport_error
#define quic_ccerr_library \
	ngtcp2_connection_close_error_set_transport_error_liberr
#define quic_ccerr_alert \
	ngtcp2_connection_close_error_set_transport_error_tls_alert

static inline void
quic_ccerr_of_peer(ngtcp2_conn *conn, quic_ccerr *error)
{
	ngtcp2_conn_get_connection_close_error(conn, error);
}

static inline bool
quic_ccerr_is_application(const quic_ccerr *error)
{
	return error->type ==
	    NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION;
}

#endif

/* --- streams, levels, states (0.16) --------------------------------------- */

#if NGTCP2_VERSION_NUM >= 0x001000

typedef ngtcp2_encryption_level quic_level;

static inline int
quic_shutdown_write(ngtcp2_conn *conn, int64_t id, uint64_t code)
{
	return ngtcp2_conn_shutdown_stream_write(conn, 0, id, code);
}

static inline int
quic_shutdown_read(ngtcp2_conn *conn, int64_t id, uint64_t code)
{
	return ngtcp2_conn_shutdown_stream_read(conn, 0, id, code);
}

/* odcid: what the file is about; newer libraries know it. */
static inline void
quic_settings_qlog(ngtcp2_settings *settings, ngtcp2_qlog_write write,
    const ngtcp2_cid *odcid)
{
	(void)odcid;
	settings->qlog_write = write;
}

#else

typedef ngtcp2_crypto_level quic_level;

static inline int
quic_shutdown_write(ngtcp2_conn *conn, int64_t id, uint64_t code)
{
	return ngtcp2_conn_shutdown_stream_write(conn, id, code);
}

static inline int
quic_shutdown_read(ngtcp2_conn *conn, int64_t id, uint64_t code)
{
	return ngtcp2_conn_shutdown_stream_read(conn, id, code);
}

static inline void
quic_settings_qlog(ngtcp2_settings *settings, ngtcp2_qlog_write write,
    const ngtcp2_cid *odcid)
{
	settings->qlog.write = write;
	settings->qlog.odcid = *odcid;
}

#endif

/* --- how the connection does, ids of servers, paths (0.14) ---------------- */

#if NGTCP2_VERSION_NUM >= 0x000e00

typedef ngtcp2_conn_info quic_conn_info;

#define quic_conn_info_of ngtcp2_conn_get_conn_info

static inline void
quic_params_odcid(ngtcp2_transport_params *params, const ngtcp2_cid *odcid)
{
	params->original_dcid = *odcid;
	params->original_dcid_present = 1;
}

#define QUIC_PATH_VALIDATION_ARGS \
	ngtcp2_conn *conn, uint32_t flags, const ngtcp2_path *path, \
	const ngtcp2_path *old_path, ngtcp2_path_validation_result result, \
	void *arg
#define QUIC_PATH_VALIDATION_UNUSED (void)conn, (void)flags, (void)old_path

#else

typedef ngtcp2_conn_stat quic_conn_info;

#define quic_conn_info_of ngtcp2_conn_get_conn_stat

static inline void
quic_params_odcid(ngtcp2_transport_params *params, const ngtcp2_cid *odcid)
{
	params->original_dcid = *odcid;
}

#define QUIC_PATH_VALIDATION_ARGS \
	ngtcp2_conn *conn, uint32_t flags, const ngtcp2_path *path, \
	ngtcp2_path_validation_result result, void *arg
#define QUIC_PATH_VALIDATION_UNUSED (void)conn, (void)flags

#endif

/* --- tokens, versions (0.13) ---------------------------------------------- */

#if NGTCP2_VERSION_NUM >= 0x000d00

#define QUIC_HAS_V2 1

static inline const uint8_t *
quic_hd_token(const ngtcp2_pkt_hd *hd, size_t *len)
{
	*len = hd->tokenlen;
	return hd->token;
}

static inline void
quic_settings_token(ngtcp2_settings *settings, const uint8_t *token,
    size_t len, bool is_retry)
{
	settings->token = token;
	settings->tokenlen = len;
#if NGTCP2_VERSION_NUM >= 0x001300
	settings->token_type = is_retry ? NGTCP2_TOKEN_TYPE_RETRY :
	    NGTCP2_TOKEN_TYPE_NEW_TOKEN;
#else
	(void)is_retry;
#endif
}

/* Most wanted first; the array must stay until the connection is made. */
static inline void
quic_settings_versions(ngtcp2_settings *settings, uint32_t *versions, size_t n)
{
	settings->preferred_versions = versions;
	settings->preferred_versionslen = n;
	settings->available_versions = versions;
	settings->available_versionslen = n;
}

#define QUIC_NEW_TOKEN_ARGS \
	ngtcp2_conn *conn, const uint8_t *token, size_t token_len, void *arg
#define QUIC_NEW_TOKEN_DATA token
#define QUIC_NEW_TOKEN_LEN token_len

#else

#define QUIC_HAS_V2 0

static inline const uint8_t *
quic_hd_token(const ngtcp2_pkt_hd *hd, size_t *len)
{
	*len = hd->token.len;
	return hd->token.base;
}

static inline void
quic_settings_token(ngtcp2_settings *settings, const uint8_t *token,
    size_t len, bool is_retry)
{
	(void)is_retry;
	settings->token.base = wk_unconst(token);
	settings->token.len = len;
}

static inline void
quic_settings_versions(ngtcp2_settings *settings, uint32_t *versions, size_t n)
{
	settings->preferred_versions = versions;
	settings->preferred_versionslen = n;
	settings->other_versions = versions;
	settings->other_versionslen = n;
}

#define QUIC_NEW_TOKEN_ARGS \
	ngtcp2_conn *conn, const ngtcp2_vec *token, void *arg
#define QUIC_NEW_TOKEN_DATA token->base
#define QUIC_NEW_TOKEN_LEN token->len

#endif

/*
 * Before 0.14 a one-way stream of the peer's never ended for the library: we
 * see the end ourselves, and as each leaves something behind for as long as
 * the connection lasts there is a bound to their number.
 */
#if NGTCP2_VERSION_NUM >= 0x000e00
#define QUIC_ENDS_UNI 1
#define QUIC_UNI_TOTAL_MAX UINT64_MAX
#else
#define QUIC_ENDS_UNI 0
#define QUIC_UNI_TOTAL_MAX 16384
#endif

/*
 * Before 0.14 nothing asked after lost datagrams when nothing else was under
 * way: with the window full of them a connection stood still for ever.
 */
#define QUIC_PROBES_DATAGRAMS (NGTCP2_VERSION_NUM >= 0x000e00)

/* Whether an Initial may open a connection; old libraries ask for Retry. */
static inline bool
quic_accept(ngtcp2_pkt_hd *hd, const uint8_t *packet, size_t len)
{
	int rc = ngtcp2_accept(hd, packet, len);

	return rc == 0 || rc == NGTCP2_ERR_RETRY;
}

/* Only with a real time: what means "off" differs. */
static inline void
quic_keep_alive(ngtcp2_conn *conn, uint64_t interval_ns)
{
	if (interval_ns != 0)
		ngtcp2_conn_set_keep_alive_timeout(conn, interval_ns);
}

/* SPDX-License-Identifier: MIT */
/*
 * The log of secrets, one line each, that lets others decrypt what we sent
 * (the NSS key log format). One write() per line to a file opened for
 * appending: lines of several threads and processes do not mix.
 */
#include "config.h"

#include "common/net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/text.h"
#include "common/net/tls_parts.h"

int
tls_keylog_open(struct wk_tls_credentials *credentials, const char *name,
    struct wk_error *error)
{
	if (name == NULL)
		name = secure_getenv("SSLKEYLOGFILE");
	if (name == NULL || *name == '\0')
		return WK_OK;
	credentials->keylog_fd = open(name,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (credentials->keylog_fd < 0)
		return wk_error_set(error, WK_E_SYSTEM, 0, "key log %s: %s",
		    name, strerror(errno));
	return WK_OK;
}

/* A log that cannot be written stops no connection. */
int
tls_keylog(gnutls_session_t session, const char *label,
    const gnutls_datum_t *secret)
{
	const struct wk_tls_peer *peer = gnutls_db_get_ptr(session);
	gnutls_datum_t client_random, server_random;
	struct wk_buf line;
	ssize_t n;

	gnutls_session_get_random(session, &client_random, &server_random);
	wk_buf_init(&line, 512);
	wk_buf_printf(&line, "%s ", label);
	wk_hex_append(&line, client_random.data, client_random.size);
	wk_buf_append(&line, " ", 1);
	wk_hex_append(&line, secret->data, secret->size);
	if (wk_buf_append(&line, "\n", 1) == WK_OK)
		do
			n = write(peer->credentials->keylog_fd, line.data,
			    line.len);
		while (n < 0 && errno == EINTR);
	if (line.len > 0)
		gnutls_memset(line.data, 0, line.len);
	wk_buf_free(&line);
	return 0;
}

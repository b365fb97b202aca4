/* SPDX-License-Identifier: MIT */
/*
 * qlog: a file for each connection, named by the id that its client sent to
 * first, as ngtcp2 writes it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/net/quic_parts.h"

/* What cannot be written is missing from the file, and no reason to stop. */
static void
write_some(void *arg, uint32_t flags, const void *data, size_t len)
{
	struct wk_quic *q = arg;
	const uint8_t *at = data;
	ssize_t n;

	while (len > 0 && q->qlog_fd >= 0) {
		n = write(q->qlog_fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			quic_note(q, "qlog: %s", strerror(errno));
			quic_qlog_close(q);
			return;
		}
		at += n;
		len -= (size_t)n;
	}
	if ((flags & NGTCP2_QLOG_WRITE_FLAG_FIN) != 0)
		quic_qlog_close(q);
}

void
quic_qlog_open(struct wk_quic *q, ngtcp2_settings *settings,
    const ngtcp2_cid *odcid)
{
	const char *dir = q->endpoint->options.qlog_dir;
	struct wk_buf b;

	if (dir == NULL)
		return;
	wk_buf_init(&b, 4096);
	wk_buf_printf(&b, "%s/", dir);
	wk_hex_append(&b, odcid->data, odcid->datalen);
	wk_buf_printf(&b, "_%s.sqlog", q->is_server ? "server" : "client");
	wk_buf_append(&b, "", 1);
	if (b.status == WK_OK)
		q->qlog_fd = open((const char *)b.data, O_WRONLY | O_CREAT |
		    O_TRUNC | O_CLOEXEC, 0666);
	if (q->qlog_fd < 0)
		quic_note(q, "qlog: %s: %s", b.status == WK_OK ?
		    (const char *)b.data : dir, strerror(errno));
	else
		quic_settings_qlog(settings, write_some, odcid);
	wk_buf_free(&b);
}

void
quic_qlog_close(struct wk_quic *q)
{
	if (q->qlog_fd >= 0)
		close(q->qlog_fd);
	q->qlog_fd = -1;
}

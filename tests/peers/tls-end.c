/* SPDX-License-Identifier: MIT */
/*
 * One end of a TLS connection over 127.0.0.1, for foreign peers to judge:
 * tls-end client|server NAME=VALUE ... A server says "port N" and takes one
 * connection. Then what was agreed on, what came, and how it ended. A client
 * sends text= at once, a server sends back what comes; both stay until the
 * peer ends.
 */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net/tls.h"

#define LIST_MAX 8

struct settings {
	struct wk_tls_options options;
	const char *pins[LIST_MAX + 1], *names[LIST_MAX + 1];
	const char *alpn[LIST_MAX + 1];
	size_t n_alpn;
	const char *port, *name, *text, *save, *leave;
};

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "tls-end: %s: %s\n", what, why);
	exit(1);
}

static void
set(struct settings *s, const char *setting)
{
	const struct {
		const char *name, **value, **list;
		size_t *n;
	} known[] = {
		{ "port", &s->port, NULL, NULL },
		{ "name", &s->name, NULL, NULL },
		{ "text", &s->text, NULL, NULL },
		{ "save", &s->save, NULL, NULL },
		{ "leave", &s->leave, NULL, NULL },
		{ "cacert", &s->options.cacert, NULL, NULL },
		{ "client-ca", &s->options.client_ca, NULL, NULL },
		{ "cert", &s->options.cert, NULL, NULL },
		{ "key", &s->options.key, NULL, NULL },
		{ "keylog", &s->options.keylog, NULL, NULL },
		{ "pin", NULL, s->pins, &s->options.n_pins },
		{ "for", NULL, s->names, &s->options.n_names },
		{ "alpn", NULL, s->alpn, &s->n_alpn },
	};
	size_t i, len = strcspn(setting, "=");

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i].name) != len || setting[len] != '=' ||
		    strncmp(known[i].name, setting, len) != 0)
			continue;
		if (known[i].list == NULL)
			*known[i].value = setting + len + 1;
		else if (*known[i].n < LIST_MAX)
			known[i].list[(*known[i].n)++] = setting + len + 1;
		return;
	}
	if (strcmp(setting, "insecure") != 0)
		die(setting, "unknown setting");
	s->options.is_insecure = true;
}

static int
open_socket(const struct settings *s)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (s->port != NULL)
		sa.sin_port = htons((uint16_t)strtoul(s->port, NULL, 10));
	if (!s->options.is_server) {
		if (connect(fd, (struct sockaddr *)&sa, len) != 0)
			die("connect", "failed");
		return fd;
	}
	if (bind(fd, (struct sockaddr *)&sa, len) != 0 || listen(fd, 5) != 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
		die("listen", "failed");
	printf("port %u\n", (unsigned)ntohs(sa.sin_port));
	fflush(stdout);
	one = accept(fd, NULL, NULL);
	if (one < 0)
		die("accept", "failed");
	close(fd);
	return one;
}

/* Wait for what a call wanted; false when it wanted nothing. */
static bool
wait_for(int fd, ssize_t wants)
{
	struct pollfd p = { .fd = fd, .events = wants == WK_TLS_WANTS_READ ?
	    POLLIN : POLLOUT };

	if (wants > WK_TLS_WANTS_READ)
		return false;
	if (poll(&p, 1, 10000) != 1)
		die("poll", "the peer does nothing");
	return true;
}

static void
say(struct wk_tls *tls, int fd, const char *text, size_t len)
{
	struct wk_error error;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = wk_tls_write(tls, text + done, len - done, &error);
		if (n > 0)
			done += (size_t)n;
		else if (!wait_for(fd, n))
			return;	/* reading tells why */
	}
}

static void
converse(struct wk_tls *tls, int fd, const struct settings *s)
{
	struct wk_error error;
	char data[4096];
	ssize_t n;

	for (;;) {
		n = wk_tls_read(tls, data, sizeof(data), &error);
		if (n > 0 && s->options.is_server)
			say(tls, fd, data, (size_t)n);
		if (n > 0) {
			fwrite(data, 1, (size_t)n, stdout);
			fflush(stdout);
			if (s->leave != NULL)
				break;
		} else if (!wait_for(fd, n)) {
			break;
		}
	}
	if (n >= 0 && (s->leave == NULL || strcmp(s->leave, "rude") != 0))
		while (wait_for(fd, wk_tls_bye(tls, &error)))
			;
	printf("end: %s\n", n < 0 ? error.reason : "close_notify");
}

static int
handshake(struct wk_tls *tls, int fd)
{
	struct wk_error error;
	const char *alpn, *name;
	int rc;

	do
		rc = wk_tls_handshake(tls, &error);
	while (wait_for(fd, rc));
	if (rc != WK_OK) {
		printf("refused: %s\n", error.reason);
		return rc;
	}
	alpn = wk_tls_alpn(tls);
	name = wk_tls_server_name(tls);
	printf("ok: %s, alpn %s, name %s\n", wk_tls_description(tls),
	    alpn == NULL ? "none" : alpn, name == NULL ? "none" : name);
	fflush(stdout);
	return rc;
}

static void
save(const struct wk_tls_credentials *credentials, const char *name)
{
	char text[WK_TLS_FINGERPRINT_MAX];
	FILE *fp = fopen(name, "w");

	if (fp == NULL || fputs(wk_tls_certificate_pem(credentials), fp) < 0 ||
	    fclose(fp) != 0)
		die(name, "cannot be written");
	printf("pin %s\n", wk_tls_spki_pin(credentials, text));
	printf("fingerprint %s\n", wk_tls_fingerprint(credentials, text));
}

int
main(int argc, char **argv)
{
	struct wk_tls_credentials *credentials;
	struct settings s = { .port = NULL };
	struct wk_error error;
	struct wk_tls *tls;
	int i, fd, rc;

	if (argc < 2)
		die("usage", "tls-end client|server NAME=VALUE ...");
	s.options.is_server = strcmp(argv[1], "server") == 0;
	for (i = 2; i < argc; i++)
		set(&s, argv[i]);
	s.options.pins = s.pins;
	s.options.names = s.names;
	credentials = wk_tls_credentials_new(&s.options, &error);
	if (credentials == NULL)
		die("credentials", error.reason);
	if (s.save != NULL)
		save(credentials, s.save);
	fd = open_socket(&s);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	tls = wk_tls_new(credentials, fd, s.name, s.n_alpn > 0 ? s.alpn : NULL,
	    &error);
	wk_tls_credentials_del(credentials);
	if (tls == NULL)
		die("session", error.reason);
	rc = handshake(tls, fd);
	if (rc == WK_OK && s.text != NULL) {
		say(tls, fd, s.text, strlen(s.text));
		say(tls, fd, "\n", 1);
	}
	if (rc == WK_OK)
		converse(tls, fd, &s);
	wk_tls_del(tls);
	close(fd);
	return rc == WK_OK ? 0 : 3;
}

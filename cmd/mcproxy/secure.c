/* SPDX-License-Identifier: MIT */
/*
 * Certificates: one set towards clients, one towards backends, made when a
 * configuration is installed and replaced with the next one. Connections keep
 * those they began with.
 */
#include "config.h"

#include <stdio.h>

#include "cmd/mcproxy/engine.h"
#include "common/net/tls.h"

static bool
has_secure_listener(const struct proxy *p)
{
	size_t i;

	for (i = 0; i < p->n_listeners; i++)
		if (p->listeners[i].is_secure)
			return true;
	return false;
}

static bool
has_secure_backend(const struct conf *c)
{
	size_t i;

	for (i = 0; i < c->n_backends; i++)
		if (c->backends[i]->options.is_secure)
			return true;
	return false;
}

static void
replace(struct proxy *p, struct wk_tls_credentials **at,
    struct wk_tls_credentials *new)
{
	struct wk_tls_credentials *old;

	pthread_mutex_lock(&p->tls_lock);
	old = *at;
	*at = new;
	pthread_mutex_unlock(&p->tls_lock);
	wk_tls_credentials_del(old);
}

int
secure_load(struct proxy *p, const struct conf *c, char *reason, size_t size)
{
	const struct proxy_options *o = &p->options;
	const struct wk_tls_options clients = { .is_server = true,
	    .cert = o->cert, .key = o->key, .client_ca = o->client_ca };
	const struct wk_tls_options backends = { .cacert = o->cacert,
	    .is_insecure = o->is_insecure, .cert = o->backend_cert,
	    .key = o->backend_key, .hint = "see --cacert and --insecure" };
	struct wk_tls_credentials *to_clients = NULL, *to_backends = NULL;
	struct wk_error error;

	if (has_secure_listener(p)) {
		to_clients = wk_tls_credentials_new(&clients, &error);
		if (to_clients == NULL)
			goto failed;
	}
	if (has_secure_backend(c)) {
		to_backends = wk_tls_credentials_new(&backends, &error);
		if (to_backends == NULL)
			goto failed;
	}
	replace(p, &p->tls_clients, to_clients);
	replace(p, &p->tls_backends, to_backends);
	return WK_OK;
failed:
	wk_tls_credentials_del(to_clients);
	snprintf(reason, size, "%s", error.reason);
	return error.status;
}

int
secure_channel(struct proxy *p, struct channel *c, int fd, const char *name,
    struct wk_error *error)
{
	struct wk_tls_credentials *credentials;
	int rc;

	pthread_mutex_lock(&p->tls_lock);
	credentials = name != NULL ? p->tls_backends : p->tls_clients;
	if (credentials != NULL)
		wk_tls_credentials_hold(credentials);
	pthread_mutex_unlock(&p->tls_lock);
	if (credentials == NULL)
		return wk_error_set(error, WK_E_INVALID, 0,
		    "no certificates are loaded");
	rc = channel_secure(c, credentials, fd, name, error);
	wk_tls_credentials_del(credentials);
	return rc;
}

void
secure_free(struct proxy *p)
{
	replace(p, &p->tls_clients, NULL);
	replace(p, &p->tls_backends, NULL);
	pthread_mutex_destroy(&p->tls_lock);
}

/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/unit/http1_raw.h"

void
http1_serve(struct side *side, const struct wk_message *m)
{
	if (wk_str_is(m->path, "/chunks")) {
		side_respond(side, 200, NULL, false);
		side_send(side, "ok", 2, true);
	} else if (wk_str_is(m->path, "/echo")) {
		side->echo = side;
		side_respond(side, 200, NULL, false);
	} else if (wk_str_is(m->path, "/none")) {
		side_respond(side, 204, NULL, true);
	} else if (wk_str_is(m->path, "/upgrade")) {
		side_respond(side, 426, NULL, true);
	} else if (wk_str_is(m->path, "/wait")) {
		;
	} else if (wk_str_is(m->path, "/refuse")) {
		side_respond(side, 403, NULL, true);
	} else if (wk_str_is(m->path, "/inform")) {
		side_inform(side, 100, NULL);
		side_inform(side, 103, "link: x");
	} else if (wk_str_is(m->path, "/enough")) {
		side_respond(side, 403, NULL, true);
		side_reset(side, WK_STREAM_NO_ERROR, "enough");
	} else if (wk_str_is(m->path, "/short")) {
		side_respond(side, 200, "content-length: 3", false);
		side_send(side, "ok", 2, true);
	} else if (m->protocol.len > 0 || m->path.len == 0) {
		side->echo = side;
		side_respond(side, 200, m->path.len == 0 ? NULL :
		    "capsule-protocol: ?1", false);
	} else {
		side_respond(side, 200, "content-length: 2", false);
		side_send(side, "ok", 2, true);
	}
}

const char *
http1_lines(const char *text, size_t len, char *out, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < len && n + 1 < size; i++)
		if (text[i] != '\r')
			out[n++] = text[i];
	out[n] = '\0';
	return out;
}

struct link *
http1_raw_link(bool raw_server, size_t piece)
{
	struct link_options options;

	link_options_default(&options, http1_serve);
	options.limits[0].max_head = options.limits[1].max_head = 2000;
	options.limits[0].max_fields = options.limits[1].max_fields = 8;
	options.is_raw[raw_server] = true;
	options.piece = piece;
	return link_new(&options);
}

const char *
http1_heard_by(struct link_end *end, char *out, size_t size)
{
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < end->n_sides; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s",
		    i > 0 ? " / " : "", side_log(&end->sides[i]));
	return out;
}

struct side *
http1_ask(struct link *l, enum http1_kind kind)
{
	struct wk_message m = *link_get("/", NULL);

	switch (kind) {
	case KIND_TUNNEL:
		return link_request(l, link_tunnel("/", NULL), true);
	case KIND_CONNECT:
		return link_request(l, link_connect("b:1"), true);
	case KIND_HEAD:
		m.method = wk_str_of("HEAD");
		break;
	case KIND_POST:
		m.method = wk_str_of("POST");
		break;
	default:
		break;
	}
	return link_request(l, &m, false);
}

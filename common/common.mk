# SPDX-License-Identifier: MIT
# libwirekit.a, floor by floor. Linked into the tools, never installed. What
# only some tools need stands behind the condition of its libraries.

libwirekit_a_CFLAGS += $(CBOR_CFLAGS) $(EV_CFLAGS) $(GNUTLS_CFLAGS) \
	$(JANSSON_CFLAGS) $(NGHTTP2_CFLAGS) $(NGHTTP3_CFLAGS) \
	$(NGTCP2_CFLAGS) $(PCAP_CFLAGS) $(READLINE_CFLAGS)

# base
libwirekit_a_SOURCES += \
	common/base/base64.c common/base/base64.h \
	common/base/buf.c common/base/buf.h \
	common/base/clock.c common/base/clock.h \
	common/base/error.c common/base/error.h \
	common/base/ratelimit.c common/base/ratelimit.h \
	common/base/ring.c common/base/ring.h \
	common/base/span.h \
	common/base/str.h \
	common/base/text.c common/base/text.h \
	common/base/unconst.h

# wire
libwirekit_a_SOURCES += \
	common/wire/capsule.c common/wire/capsule.h \
	common/wire/capsule_layout.h \
	common/wire/capsule_text.c \
	common/wire/capsule_types.c common/wire/capsule_types.h \
	common/wire/capsule_walk.c \
	common/wire/chars.c common/wire/chars.h \
	common/wire/checksum.c common/wire/checksum.h \
	common/wire/datagram.c common/wire/datagram.h \
	common/wire/h3frame.c common/wire/h3frame.h \
	common/wire/h3frame_names.c \
	common/wire/head.c common/wire/head.h \
	common/wire/http1.c common/wire/http1.h \
	common/wire/http1_chunk.c \
	common/wire/http1_fields.c \
	common/wire/http1_target.c \
	common/wire/http1_write.c \
	common/wire/masque.c common/wire/masque.h \
	common/wire/message.c common/wire/message.h \
	common/wire/quicpkt.c common/wire/quicpkt.h \
	common/wire/segment.c common/wire/segment.h \
	common/wire/segment_build.c \
	common/wire/segment_tcp.c \
	common/wire/sfv.c common/wire/sfv.h \
	common/wire/sfv_write.c \
	common/wire/uritemplate.c common/wire/uritemplate.h \
	common/wire/url.c common/wire/url.h \
	common/wire/varint.c common/wire/varint.h
if BUILD_RSTDIAG
libwirekit_a_SOURCES += \
	common/wire/rstdiag.c common/wire/rstdiag.h \
	common/wire/rstdiag_cbor.c \
	common/wire/rstdiag_codes.c \
	common/wire/rstdiag_encode.c \
	common/wire/rstdiag_item.c common/wire/rstdiag_item.h \
	common/wire/rstdiag_json.c \
	common/wire/rstdiag_parts.h
endif

# net
libwirekit_a_SOURCES += \
	common/net/address.c common/net/sock.h \
	common/net/sock_listen.c
if BUILD_RSTDIAG
libwirekit_a_SOURCES += \
	common/net/capture.c common/net/capture.h \
	common/net/privileges.c common/net/privileges.h
endif
if BUILD_HTTP
libwirekit_a_SOURCES += \
	common/net/access.c common/net/access.h \
	common/net/access_auth.c \
	common/net/client.c common/net/client.h \
	common/net/client_parts.h common/net/client_quic.c \
	common/net/client_tcp.c \
	common/net/conn.c common/net/conn.h \
	common/net/conn_tcp.c common/net/conn_tcp_io.c \
	common/net/conn_tcp_open.c common/net/conn_tcp_parts.h \
	common/net/eyeballs.c common/net/eyeballs.h \
	common/net/http1_session.c common/net/http1_session.h \
	common/net/http1_session_head.c \
	common/net/http1_session_parts.h \
	common/net/http1_session_read.c \
	common/net/http1_session_write.c \
	common/net/http2_head.c common/net/http2_parts.h \
	common/net/http2_receive.c \
	common/net/http2_request.c \
	common/net/http2_send.c \
	common/net/http2_session.c common/net/http2_session.h \
	common/net/http2_stream.c \
	common/net/http2_text.c \
	common/net/http2_time.c \
	common/net/loop.c common/net/loop.h \
	common/net/proxy.c common/net/proxy.h \
	common/net/proxy_tunnel.c common/net/proxy_tunnel.h \
	common/net/server.c common/net/server.h \
	common/net/session.c common/net/session.h \
	common/net/session_parts.h \
	common/net/sock_dial.c \
	common/net/sock_resolve.c \
	common/net/stdstream.c common/net/stdstream.h \
	common/net/stream.c common/net/stream.h \
	common/net/transport.h \
	common/net/udp_proxy.c common/net/udp_proxy.h \
	common/net/udp_proxy_parts.h common/net/udp_proxy_target.c
endif
if BUILD_QUIC
libwirekit_a_SOURCES += \
	common/net/conn_quic.c \
	common/net/http3_control.c \
	common/net/http3_datagram.c \
	common/net/http3_head.c common/net/http3_parts.h \
	common/net/http3_qpack.c \
	common/net/http3_receive.c \
	common/net/http3_request.c \
	common/net/http3_send.c \
	common/net/http3_session.c common/net/http3_session.h \
	common/net/http3_stream.c \
	common/net/http3_text.c \
	common/net/http3_time.c \
	common/net/quic.c common/net/quic.h \
	common/net/quic_callbacks.c \
	common/net/quic_compat.h \
	common/net/quic_conn.c \
	common/net/quic_datagram.c \
	common/net/quic_end.c \
	common/net/quic_endpoint.c \
	common/net/quic_frames.c \
	common/net/quic_ids.c \
	common/net/quic_parts.h \
	common/net/quic_path.c \
	common/net/quic_qlog.c \
	common/net/quic_stream.c \
	common/net/quic_tls.c \
	common/net/quic_token.c \
	common/net/quic_udp.c \
	common/net/quic_write.c
endif
if BUILD_TLS
libwirekit_a_SOURCES += \
	common/net/tls.c common/net/tls.h \
	common/net/tls_credentials.c \
	common/net/tls_explain.c \
	common/net/tls_keylog.c \
	common/net/tls_own.c \
	common/net/tls_parts.h \
	common/net/tls_peer.c \
	common/net/tls_verify.c
endif
# What a program that uses these links behind libwirekit.a
if BUILD_QUIC
QUIC_LIBS = $(NGTCP2_GNUTLS_LIBS) $(NGTCP2_LIBS) $(NGHTTP3_LIBS)
endif
HTTP_LIBS = $(QUIC_LIBS) $(NGHTTP2_LIBS) $(GNUTLS_LIBS) $(EV_LIBS) -lpthread

# cli
libwirekit_a_SOURCES += \
	common/cli/diag.c common/cli/diag.h \
	common/cli/exit.h \
	common/cli/json.c common/cli/json.h \
	common/cli/options.c common/cli/options.h \
	common/cli/out.c common/cli/out.h \
	common/cli/progress.c common/cli/progress.h \
	common/cli/signals.c common/cli/signals.h
if BUILD_HTTP
libwirekit_a_SOURCES += \
	common/cli/listener.c common/cli/listener.h \
	common/cli/netopt.c common/cli/netopt.h \
	common/cli/outlet.c common/cli/outlet.h \
	common/cli/tunnel.c common/cli/tunnel.h \
	common/cli/tunnel_request.c common/cli/tunnel_request.h
endif
if HAVE_READLINE
if BUILD_HTTP
libwirekit_a_SOURCES += \
	common/cli/prompt.c common/cli/prompt.h
endif
endif
if HAVE_JANSSON
libwirekit_a_SOURCES += \
	common/cli/framing.c common/cli/framing.h \
	common/cli/framing_write.c \
	common/cli/jsonread.c common/cli/jsonread.h
endif
if BUILD_RSTDIAG
libwirekit_a_SOURCES += \
	common/cli/interfaces.c common/cli/interfaces.h \
	common/cli/rstline.c common/cli/rstline.h \
	common/cli/rstline_fields.c common/cli/rstline_parts.h \
	common/cli/watch.c common/cli/watch.h
endif

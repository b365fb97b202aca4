# SPDX-License-Identifier: MIT
# Every target is fuzz_<room>.c. With --enable-fuzzing it links libFuzzer;
# otherwise replay.c runs it over corpus/<room>/, so that `make check` keeps
# every input that ever mattered working.

if FUZZING
fuzz_link = -fsanitize=fuzzer
fuzz_main =
else
fuzz_link =
fuzz_main = tests/fuzz/replay.c
endif
fuzz_ldflags = $(AM_LDFLAGS) $(fuzz_link)

FUZZ_TARGETS += fuzz_segment
fuzz_segment_SOURCES = tests/fuzz/fuzz_segment.c $(fuzz_main)
fuzz_segment_LDFLAGS = $(fuzz_ldflags)
fuzz_segment_LDADD = libwirekit.a

FUZZ_TARGETS += fuzz_quicpkt
fuzz_quicpkt_SOURCES = tests/fuzz/fuzz_quicpkt.c $(fuzz_main)
fuzz_quicpkt_LDFLAGS = $(fuzz_ldflags)
fuzz_quicpkt_LDADD = libwirekit.a

if BUILD_QUIC
FUZZ_TARGETS += fuzz_quic_frames
fuzz_quic_frames_SOURCES = tests/fuzz/fuzz_quic_frames.c $(fuzz_main)
fuzz_quic_frames_CFLAGS = $(AM_CFLAGS) $(GNUTLS_CFLAGS) $(NGTCP2_CFLAGS)
fuzz_quic_frames_LDFLAGS = $(fuzz_ldflags)
fuzz_quic_frames_LDADD = libwirekit.a $(HTTP_LIBS)
endif

FUZZ_TARGETS += fuzz_varint
fuzz_varint_SOURCES = tests/fuzz/fuzz_varint.c $(fuzz_main)
fuzz_varint_LDFLAGS = $(fuzz_ldflags)
fuzz_varint_LDADD = libwirekit.a

FUZZ_TARGETS += fuzz_capsule
fuzz_capsule_SOURCES = tests/fuzz/fuzz_capsule.c $(fuzz_main)
fuzz_capsule_LDFLAGS = $(fuzz_ldflags)
fuzz_capsule_LDADD = libwirekit.a

FUZZ_TARGETS += fuzz_capsule_types
fuzz_capsule_types_SOURCES = tests/fuzz/fuzz_capsule_types.c $(fuzz_main)
fuzz_capsule_types_LDFLAGS = $(fuzz_ldflags)
fuzz_capsule_types_LDADD = libwirekit.a

FUZZ_TARGETS += fuzz_datagram
fuzz_datagram_SOURCES = tests/fuzz/fuzz_datagram.c $(fuzz_main)
fuzz_datagram_LDFLAGS = $(fuzz_ldflags)
fuzz_datagram_LDADD = libwirekit.a

FUZZ_TARGETS += fuzz_h3frame fuzz_h3settings
fuzz_h3frame_SOURCES = tests/fuzz/fuzz_h3frame.c $(fuzz_main)
fuzz_h3frame_LDFLAGS = $(fuzz_ldflags)
fuzz_h3frame_LDADD = libwirekit.a
fuzz_h3settings_SOURCES = tests/fuzz/fuzz_h3settings.c $(fuzz_main)
fuzz_h3settings_LDFLAGS = $(fuzz_ldflags)
fuzz_h3settings_LDADD = libwirekit.a

FUZZ_TARGETS += fuzz_head fuzz_http1 fuzz_http1_chunk fuzz_sfv \
	fuzz_uritemplate fuzz_url
fuzz_head_SOURCES = tests/fuzz/fuzz_head.c $(fuzz_main)
fuzz_head_LDFLAGS = $(fuzz_ldflags)
fuzz_head_LDADD = libwirekit.a
fuzz_url_SOURCES = tests/fuzz/fuzz_url.c $(fuzz_main)
fuzz_url_LDFLAGS = $(fuzz_ldflags)
fuzz_url_LDADD = libwirekit.a
fuzz_http1_SOURCES = tests/fuzz/fuzz_http1.c $(fuzz_main)
fuzz_http1_LDFLAGS = $(fuzz_ldflags)
fuzz_http1_LDADD = libwirekit.a
fuzz_http1_chunk_SOURCES = tests/fuzz/fuzz_http1_chunk.c $(fuzz_main)
fuzz_http1_chunk_LDFLAGS = $(fuzz_ldflags)
fuzz_http1_chunk_LDADD = libwirekit.a
fuzz_sfv_SOURCES = tests/fuzz/fuzz_sfv.c $(fuzz_main)
fuzz_sfv_LDFLAGS = $(fuzz_ldflags)
fuzz_sfv_LDADD = libwirekit.a
fuzz_uritemplate_SOURCES = tests/fuzz/fuzz_uritemplate.c $(fuzz_main)
fuzz_uritemplate_LDFLAGS = $(fuzz_ldflags)
fuzz_uritemplate_LDADD = libwirekit.a

if HAVE_JANSSON
FUZZ_TARGETS += fuzz_framing
fuzz_framing_SOURCES = tests/fuzz/fuzz_framing.c $(fuzz_main)
fuzz_framing_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
fuzz_framing_LDFLAGS = $(fuzz_ldflags)
fuzz_framing_LDADD = libwirekit.a $(JANSSON_LIBS)
endif

if BUILD_CAPSULE
FUZZ_TARGETS += fuzz_capsule_cat
fuzz_capsule_cat_SOURCES = tests/fuzz/fuzz_capsule_cat.c $(capsule_cat_parts) $(fuzz_main)
fuzz_capsule_cat_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
fuzz_capsule_cat_LDFLAGS = $(fuzz_ldflags)
fuzz_capsule_cat_LDADD = libwirekit.a $(JANSSON_LIBS) $(HTTP_LIBS) $(READLINE_LIBS)
endif

if BUILD_HTTP
FUZZ_TARGETS += fuzz_http1_client fuzz_http1_server fuzz_message
fuzz_http1_client_SOURCES = tests/fuzz/fuzz_http1_client.c \
	tests/fuzz/session_owner.h $(fuzz_main)
fuzz_http1_client_LDFLAGS = $(fuzz_ldflags)
fuzz_http1_client_LDADD = libwirekit.a
fuzz_http1_server_SOURCES = tests/fuzz/fuzz_http1_server.c \
	tests/fuzz/session_owner.h $(fuzz_main)
fuzz_http1_server_LDFLAGS = $(fuzz_ldflags)
fuzz_http1_server_LDADD = libwirekit.a
fuzz_message_SOURCES = tests/fuzz/fuzz_message.c $(fuzz_main)
fuzz_message_LDFLAGS = $(fuzz_ldflags)
fuzz_message_LDADD = libwirekit.a
endif

if BUILD_RSTDIAG
FUZZ_TARGETS += fuzz_rstdiag
fuzz_rstdiag_SOURCES = tests/fuzz/fuzz_rstdiag.c $(fuzz_main)
fuzz_rstdiag_LDFLAGS = $(fuzz_ldflags)
fuzz_rstdiag_LDADD = libwirekit.a $(CBOR_LIBS) $(JANSSON_LIBS)

FUZZ_TARGETS += fuzz_rules
fuzz_rules_SOURCES = tests/fuzz/fuzz_rules.c $(fuzz_main) \
	cmd/rstdiag-send/rules.c cmd/rstdiag-send/rules.h
fuzz_rules_LDFLAGS = $(fuzz_ldflags)
fuzz_rules_LDADD = libwirekit.a $(CBOR_LIBS) $(JANSSON_LIBS)
endif

if BUILD_HTTP
FUZZ_TARGETS += fuzz_http2_client fuzz_http2_server
fuzz_http2_client_SOURCES = tests/fuzz/fuzz_http2_client.c \
	tests/fuzz/fuzz_http2.h tests/fuzz/whims.h $(fuzz_main)
fuzz_http2_client_LDFLAGS = $(fuzz_ldflags)
fuzz_http2_client_LDADD = libwirekit.a $(NGHTTP2_LIBS)
fuzz_http2_server_SOURCES = tests/fuzz/fuzz_http2_server.c \
	tests/fuzz/fuzz_http2.h tests/fuzz/whims.h $(fuzz_main)
fuzz_http2_server_LDFLAGS = $(fuzz_ldflags)
fuzz_http2_server_LDADD = libwirekit.a $(NGHTTP2_LIBS)
endif

if BUILD_QUIC
http3_fuzz_kit = tests/fuzz/fuzz_http3.h tests/fuzz/whims.h \
	tests/unit/fake_transport.c tests/unit/fake_transport.h
FUZZ_TARGETS += fuzz_http3_client fuzz_http3_server
fuzz_http3_client_SOURCES = tests/fuzz/fuzz_http3_client.c \
	$(http3_fuzz_kit) $(fuzz_main)
fuzz_http3_client_LDFLAGS = $(fuzz_ldflags)
fuzz_http3_client_LDADD = libwirekit.a $(NGHTTP3_LIBS)
fuzz_http3_server_SOURCES = tests/fuzz/fuzz_http3_server.c \
	$(http3_fuzz_kit) $(fuzz_main)
fuzz_http3_server_LDFLAGS = $(fuzz_ldflags)
fuzz_http3_server_LDADD = libwirekit.a $(NGHTTP3_LIBS)
endif

if BUILD_MCPROXY
FUZZ_TARGETS += fuzz_mcproxy_request
fuzz_mcproxy_request_SOURCES = tests/fuzz/fuzz_mcproxy_request.c $(fuzz_main)
fuzz_mcproxy_request_LDFLAGS = $(fuzz_ldflags)
fuzz_mcproxy_request_LDADD = $(mcproxy_libs)

FUZZ_TARGETS += fuzz_mcproxy_config
fuzz_mcproxy_config_SOURCES = tests/fuzz/fuzz_mcproxy_config.c $(fuzz_main)
fuzz_mcproxy_config_LDFLAGS = $(fuzz_ldflags)
fuzz_mcproxy_config_LDADD = $(mcproxy_libs)

FUZZ_TARGETS += fuzz_mcproxy_response
fuzz_mcproxy_response_SOURCES = tests/fuzz/fuzz_mcproxy_response.c $(fuzz_main)
fuzz_mcproxy_response_LDFLAGS = $(fuzz_ldflags)
fuzz_mcproxy_response_LDADD = $(mcproxy_libs)

FUZZ_TARGETS += fuzz_mcproxy_multiget
fuzz_mcproxy_multiget_SOURCES = tests/fuzz/fuzz_mcproxy_multiget.c $(fuzz_main)
fuzz_mcproxy_multiget_LDFLAGS = $(fuzz_ldflags)
fuzz_mcproxy_multiget_LDADD = $(mcproxy_libs)
endif

FUZZ_TARGETS += fuzz_masque
fuzz_masque_SOURCES = tests/fuzz/fuzz_masque.c $(fuzz_main)
fuzz_masque_LDFLAGS = $(fuzz_ldflags)
fuzz_masque_LDADD = libwirekit.a

if BUILD_HTTP
FUZZ_TARGETS += fuzz_access
fuzz_access_SOURCES = tests/fuzz/fuzz_access.c $(fuzz_main)
fuzz_access_LDFLAGS = $(fuzz_ldflags)
fuzz_access_LDADD = libwirekit.a $(HTTP_LIBS)
endif

if BUILD_CAPSULE
FUZZ_TARGETS += fuzz_typed
fuzz_typed_SOURCES = tests/fuzz/fuzz_typed.c cmd/capsule-cat/typed.c \
	cmd/capsule-cat/typed.h $(fuzz_main)
fuzz_typed_LDFLAGS = $(fuzz_ldflags)
fuzz_typed_LDADD = libwirekit.a
endif

check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += tests/fuzz/replay.sh
EXTRA_DIST += tests/fuzz/replay.sh tests/fuzz/replay.c tests/fuzz/corpus
AM_TESTS_ENVIRONMENT += WK_FUZZ_TARGETS='$(FUZZ_TARGETS)'; export WK_FUZZ_TARGETS;

# SPDX-License-Identifier: MIT
# What the tests of common/net talk to.

if BUILD_HTTP
check_PROGRAMS += http_echo
http_echo_SOURCES = tests/net/http_echo.c tests/net/echo.c tests/net/echo.h
http_echo_LDADD = libwirekit.a $(HTTP_LIBS)
BATS_TESTS += tests/net/http-ends.bats
endif

if BUILD_QUIC
check_PROGRAMS += quic_ends
quic_ends_SOURCES = tests/net/quic_ends.c
quic_ends_LDADD = libwirekit.a $(HTTP_LIBS)
BATS_TESTS += tests/net/quic-ends.bats
endif

# SPDX-License-Identifier: MIT
# Rooms are tested by cmocka programs, tools by bats files (named in the tools'
# own fragments), decoders by fuzz targets. Everything speaks TAP.

TEST_EXTENSIONS = .bats .sh
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' CMOCKA_MESSAGE_OUTPUT=TAP \
	$(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
BATS_LOG_DRIVER = $(TAP_DRIVER)
BATS_LOG_COMPILER = $(BATS)
AM_BATS_LOG_FLAGS = --tap
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = bash
AM_TESTS_ENVIRONMENT = \
	WK_BUILD='$(abs_top_builddir)'; export WK_BUILD; \
	WK_SOURCE='$(abs_top_srcdir)'; export WK_SOURCE; \
	WK_DATA='$(abs_top_srcdir)/tests/data'; export WK_DATA;

UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
UNIT_LDADD = libwirekit.a $(CMOCKA_LIBS)
UNIT_TESTS =

include $(top_srcdir)/tests/unit/unit.mk
include $(top_srcdir)/tests/fuzz/fuzz.mk
include $(top_srcdir)/tests/bench/bench.mk
include $(top_srcdir)/tests/net/net.mk

# What takes longest begins first.
if HAVE_BATS
TESTS += $(LONG_BATS_TESTS)
endif

if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

if BUILD_HTTP
check_PROGRAMS += tls-end
tls_end_SOURCES = tests/peers/tls-end.c
tls_end_LDADD = libwirekit.a $(GNUTLS_LIBS)
BATS_TESTS += tests/net/tls.bats
endif

if BUILD_RSTDIAG
BATS_TESTS += tests/cli/completions.bats
endif

if HAVE_BATS
TESTS += $(BATS_TESTS)
endif
EXTRA_DIST += $(LONG_BATS_TESTS) $(BATS_TESTS)

TESTS += tests/cli/all-tools.sh
EXTRA_DIST += tests/cli/all-tools.sh tests/cli/tool.bash tests/ci tests/data tests/peers
dist_man_MANS += man/wirekit.7

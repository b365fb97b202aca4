/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/net/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/wire/segment.h"

#define FILE_BUFFER 262144

/* libpcap says "interface: reason" or "reason"; keep its reason only. */
static int
fail_pcap(struct wk_error *error, enum wk_status status, const char *reason)
{
	return wk_error_set(error, status, 0, "%s", reason);
}

static int
explain_activation(const struct wk_capture *c, int rc, struct wk_error *error)
{
	const char *more = pcap_geterr(c->pcap);

	switch (rc) {
	case PCAP_ERROR_PERM_DENIED:
		return wk_error_set(error, WK_E_SYSTEM, 0,
		    "%s (capturing needs CAP_NET_RAW)", strerror(EPERM));
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return wk_error_set(error, WK_E_INVALID, 0,
		    "no such interface (-D lists them)");
	case PCAP_ERROR_IFACE_NOT_UP:
		return wk_error_set(error, WK_E_SYSTEM, 0,
		    "the interface is not up");
	default:
		return fail_pcap(error, WK_E_SYSTEM,
		    *more != '\0' ? more : pcap_statustostr(rc));
	}
}

static void
set_live(pcap_t *p, const struct wk_capture_live *live)
{
	pcap_set_snaplen(p, live->snaplen > 0 ? live->snaplen :
	    WK_CAPTURE_LIVE_SNAPLEN);
	pcap_set_promisc(p, live->is_promiscuous);
	pcap_set_immediate_mode(p, 1);
	pcap_set_timeout(p, 100);
	pcap_set_buffer_size(p, live->buffer_size > 0 ? live->buffer_size :
	    WK_CAPTURE_LIVE_BUFFER);
	/* Refused where the platform has no ns stamps: then it is us. */
	pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
}

int
wk_capture_open_live(struct wk_capture *c, const struct wk_capture_live *live,
    struct wk_error *error)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	int rc;

	memset(c, 0, sizeof(*c));
	c->name = live->interface;
	c->is_live = true;
	c->fd = -1;
	c->pcap = pcap_create(live->interface, why);
	if (c->pcap == NULL)
		return fail_pcap(error, WK_E_SYSTEM, why);
	set_live(c->pcap, live);
	rc = pcap_activate(c->pcap);
	if (rc < 0) {
		rc = explain_activation(c, rc, error);
		goto fail;
	}
	if (live->direction != PCAP_D_INOUT &&
	    pcap_setdirection(c->pcap, (pcap_direction_t)live->direction) < 0) {
		rc = fail_pcap(error, WK_E_SYSTEM, pcap_geterr(c->pcap));
		goto fail;
	}
	if (pcap_setnonblock(c->pcap, 1, why) < 0) {
		rc = fail_pcap(error, WK_E_SYSTEM, why);
		goto fail;
	}
	c->link = (uint32_t)pcap_datalink(c->pcap);
	c->fd = pcap_get_selectable_fd(c->pcap);
	c->reports_drops = true;
	return WK_OK;
fail:
	wk_capture_close(c);
	return rc;
}

int
wk_capture_open_file(struct wk_capture *c, const char *path,
    struct wk_error *error)
{
	bool is_stdin = strcmp(path, "-") == 0;
	char why[PCAP_ERRBUF_SIZE] = "";
	struct stat st;
	FILE *fp;

	memset(c, 0, sizeof(*c));
	c->name = is_stdin ? "standard input" : path;
	c->fd = -1;
	fp = is_stdin ? stdin : fopen(path, "rbe");
	if (fp == NULL)
		return wk_error_set(error, WK_E_SYSTEM, 0, "%s",
		    strerror(errno));
	if (fstat(fileno(fp), &st) == 0 && S_ISDIR(st.st_mode)) {
		fclose(fp);
		return wk_error_set(error, WK_E_SYSTEM, 0, "%s",
		    strerror(EISDIR));
	}
	/* libpcap reads record by record; stdio's 4 KiB would cost calls. */
	if (!is_stdin)
		setvbuf(fp, NULL, _IOFBF, FILE_BUFFER);
	c->pcap = pcap_fopen_offline_with_tstamp_precision(fp,
	    PCAP_TSTAMP_PRECISION_NANO, why);
	if (c->pcap == NULL) {
		if (!is_stdin)
			fclose(fp);
		return fail_pcap(error, WK_E_MALFORMED, why);
	}
	c->file = is_stdin ? NULL : fp;
	c->is_pipe = fstat(fileno(fp), &st) < 0 || !S_ISREG(st.st_mode);
	c->link = (uint32_t)pcap_datalink(c->pcap);
	return WK_OK;
}

int
wk_capture_filter(struct wk_capture *c, const char *expression,
    struct wk_error *error)
{
	struct bpf_program program;
	int rc = WK_OK;

	if (pcap_compile(c->pcap, &program, expression, 1,
	    PCAP_NETMASK_UNKNOWN) < 0)
		return fail_pcap(error, WK_E_INVALID, pcap_geterr(c->pcap));
	if (pcap_setfilter(c->pcap, &program) < 0)
		rc = fail_pcap(error, WK_E_SYSTEM, pcap_geterr(c->pcap));
	pcap_freecode(&program);
	return rc;
}

static void
set_frame(const struct wk_capture *c, struct wk_frame *f,
    const struct pcap_pkthdr *header, const u_char *data)
{
	uint64_t unit = pcap_get_tstamp_precision(c->pcap) ==
	    PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;

	f->data = data;
	f->caplen = header->caplen;
	f->wire_len = header->len < header->caplen ? header->caplen :
	    header->len;
	f->wall_ns = (uint64_t)header->ts.tv_sec * WK_NS_PER_SEC +
	    (uint64_t)header->ts.tv_usec * unit;
}

int
wk_capture_next(struct wk_capture *c, struct wk_frame *f,
    struct wk_error *error)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	const char *why;
	int rc = pcap_next_ex(c->pcap, &header, &data);

	switch (rc) {
	case 1:
		set_frame(c, f, header, data);
		c->frames++;
		return 1;
	case 0:
	case PCAP_ERROR_BREAK:
		return 0;
	default:
		why = pcap_geterr(c->pcap);
		if (c->is_live)
			return fail_pcap(error, WK_E_SYSTEM, why);
		return fail_pcap(error, strstr(why, "truncated") != NULL ?
		    WK_E_TRUNCATED : WK_E_MALFORMED, why);
	}
}

bool
wk_capture_position(const struct wk_capture *c, uint64_t *at, uint64_t *size)
{
	struct stat st;
	off_t offset;

	if (c->file == NULL || c->is_pipe || fstat(fileno(c->file), &st) < 0)
		return false;
	offset = ftello(c->file);
	*at = offset < 0 ? 0 : (uint64_t)offset;
	*size = (uint64_t)st.st_size;
	return true;
}

bool
wk_capture_counters(const struct wk_capture *c, uint64_t *received,
    uint64_t *dropped)
{
	struct pcap_stat st;

	if (!c->reports_drops || pcap_stats(c->pcap, &st) < 0)
		return false;
	*received = st.ps_recv;
	*dropped = (uint64_t)st.ps_drop + st.ps_ifdrop;
	return true;
}

void
wk_capture_close(struct wk_capture *c)
{
	if (c->pcap != NULL)
		pcap_close(c->pcap);	/* closes the file, but not stdin */
	c->pcap = NULL;
	c->file = NULL;
	c->fd = -1;
}

const char *
wk_capture_link_name(uint32_t link)
{
	const char *name = pcap_datalink_val_to_name((int)link);

	return name == NULL ? "unnamed" : name;
}

/* In files raw IP is 101; in libpcap's calls it is the platform's number. */
static int
pcap_link(uint32_t link)
{
	return link == WK_LINK_RAW ? DLT_RAW : (int)link;
}

int
wk_filter_compile(struct bpf_program *program, uint32_t link,
    const char *expression, struct wk_error *error)
{
	pcap_t *dead = pcap_open_dead(pcap_link(link), WK_CAPTURE_SNAPLEN);
	int rc = WK_OK;

	if (dead == NULL)
		return wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
	if (pcap_compile(dead, program, expression, 1,
	    PCAP_NETMASK_UNKNOWN) < 0)
		rc = fail_pcap(error, WK_E_INVALID, pcap_geterr(dead));
	pcap_close(dead);
	return rc;
}

static struct pcap_pkthdr
pcap_header(const struct wk_frame *f)
{
	struct pcap_pkthdr header = {
		.caplen = (bpf_u_int32)f->caplen,
		.len = (bpf_u_int32)f->wire_len,
		.ts.tv_sec = (time_t)(f->wall_ns / WK_NS_PER_SEC),
		.ts.tv_usec = (suseconds_t)(f->wall_ns % WK_NS_PER_SEC),
	};

	return header;
}

bool
wk_filter_matches(const struct bpf_program *program, const struct wk_frame *f)
{
	struct pcap_pkthdr header = pcap_header(f);

	return pcap_offline_filter(program, &header, f->data) != 0;
}

/* A copy of stdout, because closing a dump closes its file. */
static FILE *
open_dump_file(const char *path)
{
	FILE *fp;
	int fd;

	if (strcmp(path, "-") != 0)
		return fopen(path, "wbe");
	fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return NULL;
	fp = fdopen(fd, "wb");
	if (fp == NULL) {
		close(fd);
		errno = EBADF;	/* closed; its stand-in is not writable */
	}
	return fp;
}

int
wk_dump_open(struct wk_dump *d, const char *path, uint32_t link, int snaplen,
    struct wk_error *error)
{
	FILE *fp;

	memset(d, 0, sizeof(*d));
	d->name = strcmp(path, "-") == 0 ? "standard output" : path;
	d->dead = pcap_open_dead_with_tstamp_precision(pcap_link(link),
	    snaplen > 0 ? snaplen : WK_CAPTURE_SNAPLEN,
	    PCAP_TSTAMP_PRECISION_NANO);
	if (d->dead == NULL)
		return wk_error_set(error, WK_E_NOMEM, 0, "out of memory");
	fp = open_dump_file(path);
	if (fp != NULL)
		d->dumper = pcap_dump_fopen(d->dead, fp);
	if (d->dumper == NULL) {
		wk_error_set(error, WK_E_SYSTEM, 0, "%s", fp == NULL ?
		    strerror(errno) : pcap_geterr(d->dead));
		if (fp != NULL)
			fclose(fp);
		pcap_close(d->dead);
		d->dead = NULL;
		return WK_E_SYSTEM;
	}
	return WK_OK;
}

void
wk_dump_frame(struct wk_dump *d, const struct wk_frame *f)
{
	struct pcap_pkthdr header = pcap_header(f);

	pcap_dump((u_char *)d->dumper, &header, f->data);
}

bool
wk_dump_has_failed(const struct wk_dump *d)
{
	return ferror(pcap_dump_file(d->dumper)) != 0;
}

int
wk_dump_flush(struct wk_dump *d)
{
	FILE *fp = pcap_dump_file(d->dumper);

	return pcap_dump_flush(d->dumper) == 0 && !ferror(fp) ?
	    WK_OK : WK_E_SYSTEM;
}

int
wk_dump_close(struct wk_dump *d)
{
	int rc, saved;

	if (d->dumper == NULL)
		return WK_OK;
	rc = wk_dump_flush(d);
	saved = errno;
	pcap_dump_close(d->dumper);
	pcap_close(d->dead);
	d->dumper = NULL;
	d->dead = NULL;
	errno = saved;
	return rc;
}

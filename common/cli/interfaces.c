/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cli/interfaces.h"

#include <pcap/pcap.h>
#include <stddef.h>

#include "common/cli/diag.h"
#include "common/cli/exit.h"
#include "common/cli/json.h"
#include "common/cli/out.h"

static void
write_json(const pcap_if_t *i)
{
	wk_json_begin("interface");
	wk_json_str("name", i->name);
	wk_json_bool("up", (i->flags & PCAP_IF_UP) != 0);
	wk_json_bool("loopback", (i->flags & PCAP_IF_LOOPBACK) != 0);
	if (i->description != NULL)
		wk_json_str("description", i->description);
	wk_json_end();
}

int
wk_interfaces_write(void)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_if_t *all, *i;

	if (pcap_findalldevs(&all, why) < 0) {
		wk_warn("%s", why);
		return WK_EXIT_SYSTEM;
	}
	for (i = all; i != NULL; i = i->next)
		if (wk_cli.is_json)
			write_json(i);
		else
			wk_out_printf("%s%s%s\n", i->name,
			    i->description != NULL ? " " : "",
			    i->description != NULL ? i->description : "");
	pcap_freealldevs(all);
	return WK_EXIT_OK;
}

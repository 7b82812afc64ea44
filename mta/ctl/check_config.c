/* danelaw check-config */
#include "mta/ctl/command.h"
#include "mta/ctl/setup.h"

int
check_config_run(const struct options *options)
{
	if (options->argc > 0)
		return command_misused("check-config takes no arguments");
	return setup_check(options->file);
}

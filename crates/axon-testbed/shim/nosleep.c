/* The C++ benchmark sleeps for its think time after each message, also when that is zero, which costs it
 * about 50 us of timer slack a message and hides the messenger. */
#include <time.h>

int usleep(unsigned microseconds)
{
	struct timespec pause = {microseconds / 1000000, microseconds % 1000000 * 1000L};

	return microseconds == 0 ? 0 : nanosleep(&pause, 0);
}

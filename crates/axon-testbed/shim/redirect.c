/* Sends connections for some ports of 127.0.0.1 to other ports, so that a recording proxy can stand in
 * between while both ends go on believing in the addresses they know: msgr2 exchanges and compares them.
 *
 * The file named by AXON_REDIRECT holds lines "FROM TO\n", two decimal port numbers each; it is read at every
 * connect and may change. No dlsym and no stdio: their symbols are versioned differently across the C libraries
 * this is loaded into. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *number(const char *at, unsigned *value)
{
	for (*value = 0; *at >= '0' && *at <= '9'; at++)
		*value = *value * 10 + (unsigned)(*at - '0');
	return *at ? at + 1 : at;
}

static unsigned redirected(unsigned port)
{
	char text[4096];
	const char *name = getenv("AXON_REDIRECT"), *at = text;
	int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	text[length > 0 ? length : 0] = 0;
	while (*at) {
		unsigned from, to;

		at = number(at, &from);
		at = number(at, &to);
		if (from == port)
			return to;
	}
	return port;
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	struct sockaddr_in to;

	if (length >= sizeof to && address->sa_family == AF_INET) {
		memcpy(&to, address, sizeof to);
		if (to.sin_addr.s_addr == htonl(INADDR_LOOPBACK)) {
			to.sin_port = htons((unsigned short)redirected(ntohs(to.sin_port)));
			return (int)syscall(SYS_connect, fd, &to, sizeof to);
		}
	}
	return (int)syscall(SYS_connect, fd, address, length);
}

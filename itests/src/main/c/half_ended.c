// SPDX-License-Identifier: Apache-2.0
/*
 * A process whose first thread has ended, and which another one keeps alive for a minute: the kernel shows it as a zombie,
 * as it does for a moment with every process of several threads that is killed.
 */
#include <pthread.h>
#include <unistd.h>

static void *stay(void *unused)
{
	sleep(60);
	return unused;
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, stay, NULL) != 0)
		return 1;
	pthread_exit(NULL);
}

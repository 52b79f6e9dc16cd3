#!/usr/bin/perl
# Becomes PROGRAM, with a socket as its file descriptor 3 that listens on 127.0.0.1:PORT. A socket stays in the network
# namespace in which it was made, so PROGRAM hears in this one, wherever it goes.
#
#   listen.pl PORT PROGRAM [ARGUMENT]...
use strict;
use warnings;
use POSIX ();
use Socket;

use constant HANDLE => 3;
use constant BACKLOG => 128;

my ($port, @program) = @ARGV;
die "usage: listen.pl PORT PROGRAM [ARGUMENT]...\n" unless @program;

$^F = 255;    # descriptors up to this one outlive exec
socket my $socket, PF_INET, SOCK_STREAM, 0 or die "socket: $!\n";
setsockopt $socket, SOL_SOCKET, SO_REUSEADDR, 1 or die "setsockopt: $!\n";
bind $socket, pack_sockaddr_in($port, INADDR_LOOPBACK) or die "127.0.0.1:$port: $!\n";
listen $socket, BACKLOG or die "127.0.0.1:$port: $!\n";
fileno $socket == HANDLE or POSIX::dup2(fileno $socket, HANDLE) or die "dup2: $!\n";
exec { $program[0] } @program or die "$program[0]: $!\n";

#!/usr/bin/perl
# Answers on the ports of a pod: a pod's TEXT and a newline, to a TCP or SCTP connection at once (then it closes), to each
# UDP datagram by a datagram. IPv4 and IPv6.
#
#   responder.pl READY-FILE TEXT [tcp:PORT|udp:PORT|sctp:PORT]...
#
# READY-FILE is written once everything listens; its lines name what the kernel does not have.
use strict;
use warnings;
use Errno qw(EAFNOSUPPORT EPROTONOSUPPORT ESOCKTNOSUPPORT EPROTOTYPE);
use Fcntl qw(F_SETFL O_NONBLOCK);
use Socket qw(:DEFAULT IPPROTO_TCP IPPROTO_UDP IPPROTO_IPV6 IPV6_V6ONLY pack_sockaddr_in6 inet_pton);

use constant SCTP => 132;    # IPPROTO_SCTP; Perl's Socket has no name for it
use constant PATIENCE => 2;  # seconds that a client may take to close after us

my ($ready, $text, @ports) = @ARGV;
die "usage: responder.pl READY-FILE TEXT [tcp:PORT|udp:PORT|sctp:PORT]...\n" unless defined $text;
my $answer = "$text\n";
$SIG{PIPE} = 'IGNORE';

my (%listening, %datagram, %closing, @absent);
for my $port (@ports) {
    my ($protocol, $number) = $port =~ /^(tcp|udp|sctp):(\d+)$/ or die "not a port: $port\n";
    open_port($_, $protocol, $number) for PF_INET, PF_INET6;
}

open my $file, '>', "$ready.new" or die "$ready.new: $!\n";
print {$file} map { "no $_\n" } @absent;
close $file or die "$ready.new: $!\n";
rename "$ready.new", $ready or die "$ready: $!\n";

serve() while 1;

sub open_port {
    my ($family, $protocol, $number) = @_;
    my $type = $protocol eq 'udp' ? SOCK_DGRAM : SOCK_STREAM;
    my $code = { tcp => IPPROTO_TCP, udp => IPPROTO_UDP, sctp => SCTP }->{$protocol};
    my $socket;
    if (!socket $socket, $family, $type, $code) {
        my $missing = grep { $! == $_ } EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EPROTOTYPE;
        die "$protocol:$number: socket: $!\n" unless $missing;
        push @absent, "$protocol:$number " . ($family == PF_INET ? 'ipv4' : 'ipv6');
        return;
    }
    setsockopt $socket, SOL_SOCKET, SO_REUSEADDR, 1;
    setsockopt $socket, IPPROTO_IPV6, IPV6_V6ONLY, 1 if $family == PF_INET6;
    my $any = $family == PF_INET
        ? pack_sockaddr_in($number, INADDR_ANY)
        : pack_sockaddr_in6($number, inet_pton(PF_INET6, '::'));
    bind $socket, $any or die "$protocol:$number: bind: $!\n";
    # A client, or a datagram with a wrong checksum, may be gone between select and the call.
    fcntl $socket, F_SETFL, O_NONBLOCK or die "$protocol:$number: fcntl: $!\n";
    if ($protocol eq 'udp') {
        $datagram{ fileno $socket } = $socket;
    } else {
        listen $socket, SOMAXCONN or die "$protocol:$number: listen: $!\n";
        $listening{ fileno $socket } = $socket;
    }
}

sub serve {
    my $read = '';
    vec($read, $_, 1) = 1 for keys %listening, keys %datagram, keys %closing;
    my $found = select $read, undef, undef, %closing ? PATIENCE : undef;
    return if $found < 0;
    for my $id (grep { vec $read, $_, 1 } keys %datagram) {
        my $from = recv $datagram{$id}, my $data, 65536, 0;
        send $datagram{$id}, $answer, 0, $from if defined $from;
    }
    drain($_) for grep { vec $read, $_, 1 } keys %closing;
    accept_from($listening{$_}) for grep { vec $read, $_, 1 } keys %listening;
    my $now = time;
    delete @closing{ grep { $closing{$_}{until} < $now } keys %closing };
}

# The client has its answer and our end of the stream. What it sent is read before the socket goes: closing with unread
# bytes would reset the connection, and the answer might be lost.
sub accept_from {
    my ($socket) = @_;
    accept my $client, $socket or return;
    syswrite $client, $answer;
    shutdown $client, 1;
    $closing{ fileno $client } = { socket => $client, until => time + PATIENCE };
}

sub drain {
    my ($id) = @_;
    my $count = sysread $closing{$id}{socket}, my $data, 65536;
    delete $closing{$id} unless $count;
}

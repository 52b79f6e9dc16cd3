/** Reads `sandbox status --output json` from standard input and prints commands to copy for that very sandbox. */
import process from 'node:process';
import { text } from 'node:stream/consumers';

/** Two pods of one node, where there are any: between them a trace needs no router's address. */
function pair(pods) {
  for (const from of pods) {
    const to = pods.find(pod => pod !== from && pod.node === from.node);
    if (to !== undefined) return [from, to];
  }
  return pods.length > 1 ? [pods[0], pods[1]] : undefined;
}

const ipv4 = pod => pod.ips.map(ip => ip.split('/')[0]).find(ip => ip.includes('.'));

function flow(from, to) {
  const terms = [`inport == "${from.logicalPort}"`, `eth.src == ${from.mac}`, `eth.dst == ${to.mac}`];
  if (ipv4(from) && ipv4(to)) {
    terms.push(`ip4.src == ${ipv4(from)}`, `ip4.dst == ${ipv4(to)}`, 'ip.ttl == 64', 'icmp4.type == 8');
  }
  return terms.join(' && ');
}

function commands({ name, pods }) {
  const sandbox = action => `bin/kube-northbound sandbox ${action} --name ${name}`;
  const lines = [sandbox('status'), `${sandbox('nbctl')} show`];
  const chosen = pair(pods);
  if (chosen !== undefined) {
    const [from, to] = chosen;
    lines.push(
      `${sandbox('exec')} ${from.namespace}/${from.name} -- ping -c 3 ${ipv4(to) ?? to.ips[0].split('/')[0]}`,
      `${sandbox('trace')} '${flow(from, to)}'`,
    );
  }
  return lines;
}

const status = JSON.parse(await text(process.stdin));
process.stdout.write(
  commands(status)
    .map(line => `    ${line}\n`)
    .join(''),
);

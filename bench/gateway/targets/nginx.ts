import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchContext } from '../context.ts';
import { freePort } from '../processes.ts';
import { startGateway } from '../start-gateway.ts';
import { type Target, Unavailable } from '../targets.ts';

/** One process, connections to the server kept, bodies of 1.1 MB in memory and streams unbuffered: as one would set it before a model server. */
function configuration(port: number, mockPort: number, folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${join(folder, `nginx-${name}`)};`)
    .join('\n');
  return `daemon off;
master_process off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
error_log stderr warn;
events { worker_connections 8192; }
http {
  access_log off;
${temporary}
  client_max_body_size 16m;
  client_body_buffer_size 2m;
  keepalive_requests 1000000;
  upstream mock {
    server 127.0.0.1:${mockPort};
    keepalive 2048;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`;
}

export async function startNginx({ mockPort, folder }: BenchContext): Promise<Target> {
  if (spawnSync('nginx', ['-v']).status !== 0) {
    throw new Unavailable('nginx is not installed (Debian: apt-get install nginx).');
  }
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  await writeFile(file, configuration(port, mockPort, folder));
  return await startGateway({ name: 'nginx', port, folder, command: 'nginx', args: ['-c', file, '-p', folder] });
}

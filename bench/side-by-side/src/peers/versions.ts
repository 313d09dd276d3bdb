import { createRequire } from 'node:module';
import { versionOfPeer } from './load-peer.js';

const require = createRequire(import.meta.url);

function versionOf(name: string): string {
  const { version }: { version: string } = require(`${name}/package.json`);
  return version;
}

const PUBLISHERS = {
  amqplib: 'amqplib',
  golevelup: '@golevelup/nestjs-rabbitmq',
  'amqp-connection-manager': 'amqp-connection-manager',
  'rabbitmq-client': 'rabbitmq-client',
  ClientRMQ: '@nestjs/microservices',
} as const;

const CONSUMERS = {
  amqplib: 'amqplib',
  'rabbitmq-client': 'rabbitmq-client',
  golevelup: '@golevelup/nestjs-rabbitmq',
  'nest-rmq': '@nestjs/microservices',
} as const;

export const publisherVersions = (): Record<string, string> => oursAnd(PUBLISHERS);

export const consumerVersions = (): Record<string, string> => oursAnd(CONSUMERS);

function oursAnd(packages: Readonly<Record<string, string>>): Record<string, string> {
  const peers = Object.entries(packages).map(([name, peer]) => [name, versionOfPeer(peer)]);
  return { ours: versionOf('@spillway/work-queue'), ...Object.fromEntries(peers) };
}

export const gatewayVersions = (): Record<string, string> => ({
  ours: versionOf('@spillway/work-queue'),
  '@nestjs/core': versionOf('@nestjs/core'),
  '@nestjs/platform-fastify': versionOf('@nestjs/platform-fastify'),
  autocannon: versionOfPeer('autocannon'),
});

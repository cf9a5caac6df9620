# Temporal's core is built for glibc: no Alpine here.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json worker.ts ./
COPY types ./types
COPY scripts ./scripts
COPY src ./src
RUN npm run build
# Temporal's SDK and zod are peers of a library, and dependencies of a process.
RUN npm install --save-prod --save-exact $(node -p "const { peerDependencies, devDependencies } = require('./package.json'); Object.keys(peerDependencies).map((name) => name + '@' + devDependencies[name]).join(' ')")
RUN npm prune --omit=dev

FROM node:24.21.0-bookworm-slim
# Two arenas: glibc keeps what it has freed in each, and one a thread would be dozens.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2 DROVER_LOG_FORMAT=json DROVER_METRICS=0.0.0.0:9464
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The configuration of the demo, and what it imports. Mount your own over drover.config.ts, or name it by DROVER_CONFIG.
COPY drover.config.ts ./
COPY examples ./examples
COPY src ./src
USER node
EXPOSE 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "dist/src/worker-health.js"]
CMD ["node", "dist/worker.js"]

# Primum: one static binary, no shell, no root.
#
#   docker build -t primum .
#   docker run -p 8080:8080 --env-file primum.env -v primum:/data primum
#
# The build's version is read from the repository's .git, which is why that is copied.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download && go mod verify
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /out/primum ./cmd/primum && mkdir -p /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/primum /primum
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV PRIMUM_LISTEN=:8080 STATE_DIRECTORY=/data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/primum"]
CMD ["serve"]

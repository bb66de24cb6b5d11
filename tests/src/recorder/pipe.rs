//! A proxy: CONNECT and whole URLs of HTTP, and SOCKS5, on one port.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::TcpStream;

use super::listen::Shared;
use crate::proxy::http::{Request, read};

/// Carries one connection to where its client wants it.
pub(super) async fn carry(stream: TcpStream, name: &str, shared: &Shared) -> io::Result<()> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first == [5] {
        return socks(stream, name, shared).await;
    }
    let mut client = BufReader::new(stream);
    let Some(request) = read(&mut client).await? else { return Ok(()) };
    let login = request.headers.iter().find(|(name, _)| name == "proxy-authorization");
    let login = login.map(|(_, value)| value.clone());
    let target = match request.method.as_str() {
        "CONNECT" => request.target.clone(),
        _ => authority(&request.target),
    };
    let mut server = shared.connect(&target, (name.to_owned(), login)).await?;
    if request.method == "CONNECT" {
        client.write_all(b"HTTP/1.1 200 -\r\n\r\n").await?;
    } else {
        server.write_all(&again(&request)).await?;
    }
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// Host and port of a whole URL of HTTP.
fn authority(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") }
}

fn again(request: &Request) -> Vec<u8> {
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend(&request.body);
    bytes
}

/// RFC 1928, with the login of RFC 1929.
async fn socks(mut client: TcpStream, name: &str, shared: &Shared) -> io::Result<()> {
    let methods = {
        let mut head = [0; 2];
        client.read_exact(&mut head).await?;
        let mut methods = vec![0; head[1].into()];
        client.read_exact(&mut methods).await?;
        methods
    };
    let login = if methods.contains(&2) {
        client.write_all(&[5, 2]).await?;
        client.read_u8().await?;
        let login = format!("{}:{}", text(&mut client).await?, text(&mut client).await?);
        client.write_all(&[1, 0]).await?;
        Some(login)
    } else {
        client.write_all(&[5, 0]).await?;
        None
    };
    let target = socks_target(&mut client).await?;
    let mut server = shared.connect(&target, (name.to_owned(), login)).await?;
    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

async fn socks_target(client: &mut TcpStream) -> io::Result<String> {
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    let host = match head[3] {
        1 => std::net::Ipv4Addr::from(client.read_u32().await?).to_string(),
        4 => format!("[{}]", std::net::Ipv6Addr::from(client.read_u128().await?)),
        _ => text(client).await?,
    };
    Ok(format!("{host}:{}", client.read_u16().await?))
}

async fn text(client: &mut TcpStream) -> io::Result<String> {
    let mut bytes = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Enough to tell certificates of one test apart.
pub(super) fn digest(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:x}", hasher.finish())
}
